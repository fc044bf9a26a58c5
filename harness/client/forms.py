"""Multipart bodies (RFC 7578): text fields in their order, then at most one file; same input, same bytes."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

BOUNDARY: Final = "zsh-7c1f0d5e3b9a4286"
"""No file that we upload holds it."""

FORM_TYPE: Final = f"multipart/form-data; boundary={BOUNDARY}"


class File(Struct, frozen=True):
    """A file of a form; `kind` is what the part claims to be, which a server must not believe."""

    field: str
    content: bytes
    name: str = "zsh.bin"
    kind: str = "application/octet-stream"

    @property
    def sha256(self) -> str:
        """Its digest in hex."""
        return hashlib.sha256(self.content).hexdigest()


class Form(Struct, frozen=True):
    """The fields of a form; a name may come more than once."""

    fields: Sequence[tuple[str, str]] = ()
    file: File | None = None

    def encoded(self) -> bytes:
        """Return the body that goes with `FORM_TYPE`."""
        parts = [_part(f'name="{name}"', "", text.encode()) for name, text in self.fields]
        if self.file is not None:
            told = f'name="{self.file.field}"; filename="{self.file.name}"'
            parts.append(_part(told, f"Content-Type: {self.file.kind}\r\n", self.file.content))
        return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])

    def prefixed(self, field: str, prefix: str) -> "Form":
        """Return the form with `prefix` before the text of a field."""
        fields = [(name, f"{prefix} {text}" if name == field else text) for name, text in self.fields]
        return Form(fields, self.file)

    def shown(self) -> dict[str, Any]:
        """Return what the history tells of it: the texts, and of the file how much and which."""
        told: dict[str, Any] = {}
        for name, text in self.fields:
            told[name] = text if name not in told else [*_listed(told[name]), text]
        if self.file is not None:
            told[self.file.field] = {"bytes": len(self.file.content), "sha256": self.file.sha256}
        return told


def _part(disposition: str, more: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n"
    return head.encode() + content + b"\r\n"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
