"""A server process for tests: started on a free port, its address read from `ready`, always ended."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

ADMIN = {"email": "admin@example.org", "password": "an admin's password"}
DEADLINE_S = 20.0
PERSON = {"password": "a good password", "full_name": "Ann Example"}
SYSTEM = {"type": "system", "data": {"message": "hello", "level": "info"}}


class ServerProcess:
    """`python -m reference_server` with arguments; a context manager that kills what is left."""

    def __init__(self, *arguments: str, ca: Path | None = None, **environment: str) -> None:
        settings = {"ZEROSTATE_ADMIN_EMAIL": ADMIN["email"], "ZEROSTATE_ADMIN_PASSWORD": ADMIN["password"]}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "reference_server", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **settings, **environment},
        )
        word, _, self.url = _pipe(self.child.stdout).readline().strip().partition(" ")
        assert word == "ready", _pipe(self.child.stderr).read()
        self.scheme, _, authority = self.url.partition("://")
        self.host, _, port = authority.partition(":")
        self.port = int(port)
        self.trust = None if ca is None else ssl.create_default_context(cafile=ca)
        self.http = httpx.Client(base_url=self.url, timeout=DEADLINE_S, verify=self.trust or True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        if self.child.poll() is None:
            self.child.kill()
        self.child.communicate()

    def end(self) -> int:
        """Ask to end and return the exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(DEADLINE_S)

    def errors(self) -> str:
        """Return what the ended process wrote to stderr."""
        return _pipe(self.child.stderr).read()

    def call(self, method: str, path: str, token: str | None = None, **named: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.http.request(method, f"/api/v1{path}", headers={**headers, **named.pop("headers", {})}, **named)

    def register(self, email: str = "ann@example.org") -> str:
        answer = self.call("POST", "/users/register", json={"email": email, **PERSON})
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def admin(self) -> str:
        answer = self.call("POST", "/users/login", json=ADMIN)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token

    @contextmanager
    def connect(self, token: str, headers: Mapping[str, str] | None = None, **named: Any) -> Iterator[ClientConnection]:
        scheme = "ws" if self.trust is None else "wss"
        url = f"{scheme}://{self.host}:{self.port}/api/v1/ws/connect"
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        with connect(url, additional_headers=headers, compression=None, ssl=self.trust, **named) as opened:
            yield opened

    @contextmanager
    def raw(self) -> Iterator[socket.socket]:
        with socket.create_connection((self.host, self.port), timeout=DEADLINE_S) as opened:
            yield opened


def upgrade_request(token: str, *, version: str = "13") -> bytes:
    lines = [
        "GET /api/v1/ws/connect HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Sec-WebSocket-Version: {version}",
        f"Authorization: Bearer {token}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_to_end(opened: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    read = b""
    try:
        while chunk := opened.recv(65536):
            read += chunk
    except ConnectionResetError:
        pass
    return read


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait for a condition that the server brings about by itself; fails at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)
