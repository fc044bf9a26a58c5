"""JSON as the contract takes it, in a body or as text in a field of one (contract §1 row JSON).

What passes holds no NUL, no lone surrogate, no number that a double can't hold and nests no deeper than 64; the cost
of judging a text grows with its size alone. A reason continues a sentence whose subject the caller knows.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from reference_server.contract import limits

_NUL_ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NO_BRACKET: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_AS_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_TOO_DEEP: Final = f"must not be nested deeper than {limits.JSON_DEPTH_MAX} levels"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class JsonTextError(Exception):
    """The text is not JSON as the contract takes it; `reason` says why: `must be JSON`.

    `fields` are the names in the outermost object that it lies in, where that is known.
    """

    def __init__(self, reason: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"the text {reason}")
        self.reason = reason
        self.fields = fields


def parse(text: bytes) -> Any:
    """Return the value in a JSON text (of doubled names the last wins); raises JsonTextError."""
    try:
        value = _decode(text)
    except RecursionError:
        raise JsonTextError(_TOO_DEEP) from None
    except UnicodeDecodeError:
        raise JsonTextError("must be UTF-8 text without lone surrogates") from None
    except msgspec.ValidationError:
        raise JsonTextError("must hold only numbers that a double can hold") from None
    except msgspec.DecodeError:
        raise JsonTextError("must be JSON") from None
    if _deeper_than(text, limits.JSON_DEPTH_MAX):
        raise JsonTextError(_TOO_DEEP)
    if b"\\u0000" in text and _NUL_ESCAPE.search(text):
        raise JsonTextError("must not hold NUL", _with_nul(value))
    return value


def _with_nul(value: Any) -> list[str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return [name for name, item in pairs if "\0" not in name and _NUL_ESCAPE.search(_encode(item))]


def _deeper_than(text: bytes, depth: int) -> bool:
    """Say whether valid JSON nests deeper: each round takes away the innermost brackets of every branch."""
    if text.count(b"[") + text.count(b"{") <= depth:
        return False
    brackets = _STRING.sub(b"", text).translate(_AS_SQUARE, _NO_BRACKET)
    for _ in range(depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
