"""A case: bytes in the pieces in which they arrive, and what must come of them, as a value.

Every case ends with a probe, a ping of the contract that only a connection that goes on answers: so nobody waits for
what does not come, and a server that overlooks a fault is seen at once.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from harness.conformance.raw_frames import CLOSE, TEXT, frame
from harness.conformance.raw_handshake import KEY
from harness.conformance.raw_incoming import Bounds
from reference_server.contract.messages import SOCKET_VERSION

Headers = tuple[tuple[str, str], ...]

CASE_BOUNDS: Final = Bounds(frames_max=1024, bytes_max=4 * 1024 * 1024)
"""More than a case asks for, and what others publish meanwhile."""

GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ASKED: Final = "2024-02-29T12:00:00.000001Z"
PROBED: Final = "2024-02-29T12:00:00.000002Z"
ASK: Final = b'{"type":"ping","timestamp":"%b"}' % ASKED.encode()
PROBE: Final = frame(TEXT, b'{"type":"ping","timestamp":"%b"}' % PROBED.encode())
PONG_OF_CONTRACT: Final = {"type": "pong"}
PONG_OF_ASK: Final = {"type": "pong", "data.received": ASKED}
PONG_OF_PROBE: Final = {"type": "pong", "data.received": PROBED}


class Opening(Struct, frozen=True):
    """A handshake that differs from the usual one.

    `changed` gives for a header's name the values of the lines that stand in its place, none for no line; other names
    are added. `offers` are lines of subprotocols; the token then stands in the Authorization header. `style` is how
    names are written. `cut` ends each piece after so many bytes; `behind` follows the head in its last piece.
    """

    changed: dict[str, tuple[str, ...]] = {}
    method: str = "GET"
    http: str = "HTTP/1.1"
    query: str = ""
    absolute: bool = False
    offers: tuple[str, ...] | None = None
    style: Literal["usual", "upper", "lower"] = "usual"
    backwards: bool = False
    cut: int = 0
    behind: bytes = b""

    def request(self, url: str, own: Headers, protocols: Sequence[str]) -> tuple[bytes, ...]:
        """Return the bytes to send in their pieces; `own` and `protocols` carry the token."""
        whole = self._head(url, own, protocols).encode("latin-1") + self.behind
        size = self.cut or len(whole)
        return tuple(whole[at : at + size] for at in range(0, len(whole), size))

    def _head(self, url: str, own: Headers, protocols: Sequence[str]) -> str:
        parts = urlsplit(url)
        query = "&".join(part for part in (parts.query, self.query) if part)
        target = parts.path + (f"?{query}" if query else "")
        if self.absolute:
            target = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}{target}"
        offers = self.offers if self.offers is not None else (", ".join(protocols),) if protocols else ()
        usual: dict[str, tuple[str, ...]] = {
            "Host": (parts.netloc,),
            "Upgrade": ("websocket",),
            "Connection": ("Upgrade",),
            "Sec-WebSocket-Key": (KEY,),
            "Sec-WebSocket-Version": (SOCKET_VERSION,),
            "Sec-WebSocket-Protocol": offers,
        }
        lines = [(name, value) for name, values in {**usual, **self.changed}.items() for value in values]
        lines = [*lines, *own]
        ordered = reversed(lines) if self.backwards else lines
        told = [f"{_styled(name, self.style)}: {value}" for name, value in ordered]
        return "\r\n".join([f"{self.method} {target} {self.http}", *told, "", ""])

    @property
    def accept(self) -> str:
        """The accept key that a 101 must tell (RFC 6455 §4.2.2)."""
        (key,) = self.changed.get("Sec-WebSocket-Key", (KEY,))
        digest = hashlib.sha1((key.strip() + GUID).encode(), usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()


def _styled(name: str, style: str) -> str:
    return {"upper": name.upper(), "lower": name.lower()}.get(style, name)


class Case(Struct, frozen=True):
    """One connection: how it opens, what is then sent piece by piece, and what the row expects.

    `opening` None is the usual handshake; with `opens` false nothing is sent behind it. The pieces go out at `pace` a
    second, by a plan that a late one does not shift; 0: one right behind another. `ending` says what is watched behind
    a close frame: that TCP ends once it was `answered`, or the connection is cut though it `never` is. `beyond`: the
    contract asks for it by name where RFC 6455 leaves it to a server.
    """

    clause: str
    name: str
    expect: dict[str, Any]
    sends: tuple[bytes, ...] = ()
    opening: Opening | None = None
    opens: bool = True
    pace: float = 0.0
    ending: Literal["", "answered", "never"] = ""
    beyond: bool = False


def answered(name: str, *pieces: bytes) -> Case:
    """RT-PONG-1: among the pieces is `ASK` in a form that RFC 6455 allows."""
    return Case("RT-PONG-1", name, {"receives": PONG_OF_ASK, "receives_count": 1}, (*pieces, PROBE))


def ignored(name: str, *pieces: bytes, clause: str = "RT-IGNORE-1") -> Case:
    """Nothing of it asks for anything, nothing ends the connection: the probe's pong is the only one."""
    return Case(clause, name, {"receives": PONG_OF_CONTRACT, "receives_count": 1}, (*pieces, PROBE))


def ponged(name: str, *pieces: bytes, pongs: Sequence[bytes], asked: bool = False) -> Case:
    """RT-PING-1: protocol pongs with these payloads come; `asked`, when `ASK` is among the pieces too."""
    wanted: dict[str, Any] = {"pongs": [payload.hex() for payload in pongs], "receives": PONG_OF_CONTRACT}
    return Case("RT-PING-1", name, {**wanted, "receives_count": 2 if asked else 1}, (*pieces, PROBE))


def fails(clause: str, name: str, code: int | tuple[int, ...], *pieces: bytes) -> Case:
    """The connection fails with this code, or one of these, and the probe behind it is never looked at."""
    # In one piece with the fault: a peer that closes over unread bytes would reset, and lose its close frame.
    sends = (*pieces[:-1], pieces[-1] + PROBE)
    codes = (code,) if isinstance(code, int) else code
    return Case(clause, name, {"close_code": codes, "receives_none": PONG_OF_CONTRACT}, sends)


def breaks(name: str, *pieces: bytes) -> Case:
    """RT-CLOSE-4: what RFC 6455 forbids."""
    return fails("RT-CLOSE-4", name, 1002, *pieces)


def closes(name: str, payload: bytes, *codes: int, before: Sequence[bytes] = (), behind: bytes = PROBE) -> Case:
    """RT-CLOSE-6: a close frame is answered by one with one of these codes; what comes behind it by nothing."""
    sends = (*before, frame(CLOSE, payload) + behind)
    return Case("RT-CLOSE-6", name, {"close_code": codes, "receives_none": PONG_OF_CONTRACT}, sends)


def opens(name: str, opening: Opening, *sends: bytes, clause: str = "RT-UPGRADE-3", **wanted: Any) -> Case:
    """The handshake succeeds with its accept key, agrees on no extension, and the connection works."""
    headers = {"sec-websocket-accept": opening.accept, "sec-websocket-extensions": None}
    expected = {"opens": True, "header": headers, "receives": PONG_OF_PROBE, "receives_count": 1, **wanted}
    return Case(clause, name, expected, sends or (PROBE,), opening)


def refused(name: str, opening: Opening, *statuses: int, **wanted: Any) -> Case:
    """RT-UPGRADE-1: the handshake is refused with one of these."""
    return Case("RT-UPGRADE-1", name, {"status": statuses, **wanted}, (), opening, opens=False)


def of_ours(*cases: Case) -> tuple[Case, ...]:
    """Return cases that ask for more than RFC 6455 does: nobody else is accused of failing them."""
    return tuple(msgspec.structs.replace(case, expect={**case.expect, "ours": True}) for case in cases)


def beyond(*cases: Case) -> tuple[Case, ...]:
    """Return cases that the contract asks for, and RFC 6455 does not."""
    return tuple(msgspec.structs.replace(case, beyond=True) for case in cases)


def themed(theme: str, *cases: Case) -> tuple[Case, ...]:
    """Return the cases of a table under its theme's name."""
    return tuple(msgspec.structs.replace(case, name=f"{theme}/{case.name}") for case in cases)
