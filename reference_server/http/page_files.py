"""The pages as files: what lies in `pages/` when the process starts, the API's documents, and nothing else (§§2, 7).

A request's path is looked up in an index and never joined to a folder, so no spelling of it can leave the folder.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from reference_server.contract.operations.model import JSON
from reference_server.core.answers import Headers
from reference_server.core.calls import Head

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
DOCUMENTS: Final = {
    f"/{name}": Path(__file__).parents[1] / "contract" / name for name in ("openapi.json", "asyncapi.json")
}
"""What the contract exports, as `/api-docs` reads it."""

START: Final = "/dashboard.html"
CONFIG: Final = "/config.json"
_HOST: Final = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the page server."""

    status: int
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    media_type: str


class PageFiles:
    """The files of one folder by the path they are served under; `api` is where the API is when not on their origin."""

    def __init__(self, folder: Path, api: str | None = None) -> None:
        self._elsewhere = None if api is None else (api, _socket_origin(api))
        self._files = {name: _File(path, JSON) for name, path in DOCUMENTS.items()} | {
            f"/{path.relative_to(folder).as_posix()}": _File(path, MEDIA_TYPES[path.suffix])
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in MEDIA_TYPES and "tests" not in path.relative_to(folder).parts
        }

    def get(self, head: Head, scheme: str) -> Page | None:
        """Return the page that a head asks for, a redirect to it, which keeps the query, or None."""
        path, headers = head.path, head.headers
        if path == "/":
            return self._at_root(head, scheme)
        if path == CONFIG:
            return self._config(headers, scheme)
        found = self._files.get(path)
        if found is not None:
            return self._file(found, headers, scheme)
        return _redirect(f"{path}.html", head.query) if f"{path}.html" in self._files else None

    def exists(self, path: str) -> bool:
        """Say whether `get` has a page or a redirect for this path."""
        return (
            path == CONFIG or path in self._files or f"{path}.html" in self._files or (path == "/" and self._has_root())
        )

    def not_found(self, headers: Mapping[str, str], scheme: str) -> Page:
        """Return the 404 that a browser gets outside the API (contract §1 errors)."""
        found = self._files.get("/404.html")
        body = _NOT_FOUND if found is None else found.path.read_bytes()
        policy = _policy(*self._places(headers, scheme))
        return Page(404, [*policy, (b"content-type", b"text/html; charset=utf-8")], body)

    def _config(self, headers: Mapping[str, str], scheme: str) -> Page:
        api, ws = self._places(headers, scheme)
        body = msgspec.json.encode({"api": api, "ws": ws} if api else {})
        return Page(200, [(b"content-type", JSON.encode()), (b"cache-control", b"no-cache")], body)

    def _places(self, headers: Mapping[str, str], scheme: str) -> tuple[str, str]:
        """Return where API and socket are: as set, else this origin, as the browser names it, if it names one."""
        if self._elsewhere is not None:
            return self._elsewhere
        host = headers.get("host", "")
        own = f"{scheme}://{host}" if _HOST.fullmatch(host) else ""
        return own, _socket_origin(own)

    def _has_root(self) -> bool:
        return "/index.html" in self._files or START in self._files

    def _at_root(self, head: Head, scheme: str) -> Page | None:
        landing = self._files.get("/index.html")
        if landing is not None:
            return self._file(landing, head.headers, scheme)
        return _redirect(START, head.query) if START in self._files else None

    def _file(self, found: _File, headers: Mapping[str, str], scheme: str) -> Page:
        try:
            body = found.path.read_bytes()
        except OSError:
            return self.not_found(headers, scheme)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        policy = _policy(*self._places(headers, scheme))
        common: Headers = [(b"etag", etag.encode()), (b"cache-control", b"no-cache"), *policy]
        if etag in headers.get("if-none-match", ""):
            return Page(304, common)
        return Page(200, [*common, (b"content-type", found.media_type.encode())], body)


def _redirect(path: str, query: str) -> Page:
    target = f"{path}?{query}" if query else path
    return Page(307, [(b"location", target.encode("latin-1"))])


def _socket_origin(api: str) -> str:
    return f"ws{api.removeprefix('http')}" if api else ""


def _policy(api: str, ws: str) -> Headers:
    """Return the Content-Security-Policy of contract §2, row pages."""
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: {api}; "
        f"connect-src 'self' {api} {ws}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return [(b"content-security-policy", " ".join(policy.split()).replace(" ;", ";").encode("ascii"))]


_NOT_FOUND: Final = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Not found</title>'
    b"<h1>Not found</h1><p>There is no page here.</p></html>"
)
