"""Multipart bodies for tests, byte by byte as given: also those that no client would send."""

from collections.abc import Sequence

BOUNDARY = "a-boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 92
GIF = b"GIF89a" + b"\0" * 94
WASM = b"\0asm\x01\0\0\0" + b"\0" * 1992
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
Part = tuple[str, bytes]


def part(name: str, content: bytes, more: str = "", disposition: str = "form-data") -> bytes:
    """Return one part with its boundary before it; `more` stands behind the name in Content-Disposition."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: {disposition}; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: Part) -> bytes:
    """Return a whole body."""
    return b"".join(part(name, content) for name, content in parts) + END


END = f"--{BOUNDARY}--\r\n".encode()


def pieces(body: bytes, size: int) -> Sequence[bytes]:
    """Return a body in pieces of `size` bytes."""
    return [body[start : start + size] for start in range(0, len(body), size)]
