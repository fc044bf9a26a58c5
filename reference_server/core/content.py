"""What a file is by its first bytes; neither a name nor a declared type is believed (contract §3)."""

from typing import Final

HEAD_BYTES: Final = 16
"""How many first bytes tell every kind."""
_MAGIC: Final = (
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/gif", b"GIF87a"),
    ("image/gif", b"GIF89a"),
    ("application/wasm", b"\0asm\x01\0\0\0"),
)
_WORDS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WebP",
    "application/wasm": "WebAssembly 1",
}


def kind_of(head: bytes) -> str | None:
    """Return the media type that a file's first bytes show; None when it is none that we take."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for kind, magic in _MAGIC if head.startswith(magic)), None)


def in_words(kinds: tuple[str, ...]) -> str:
    """Return kinds as a person names them: `JPEG, PNG, GIF or WebP`."""
    words = [_WORDS[kind] for kind in kinds]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
