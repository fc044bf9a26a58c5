"""What goes into the hub and what comes out, at the grain of frames (contract §5).

Inputs are facts that a shell observed; effects are orders to it. `connection` is a number that the shell gives, in
the order of opening, never used twice. Times are integer nanoseconds; `wall_ns` since the Unix epoch.
"""

from dataclasses import dataclass
from enum import Enum

from reference_server.core.answers import Audience


class Opcode(Enum):
    """The kinds of complete messages and control frames that a peer can send (RFC 6455 §5.2)."""

    TEXT = "text"
    BINARY = "binary"
    PING = "ping"
    PONG = "pong"
    CLOSE = "close"
    FRAGMENT = "fragment"


@dataclass(frozen=True, slots=True)
class Opened:
    """A handshake was accepted; the welcome goes out first. Both instants of the token are wall time."""

    connection: int
    account_id: str
    jti: str
    issued_at_ns: int
    expires_at_ns: int
    client_id: str


@dataclass(frozen=True, slots=True)
class FrameIn:
    """A complete frame came; `payload` is the whole message for TEXT and BINARY, empty for FRAGMENT."""

    connection: int
    opcode: Opcode
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer broke RFC 6455; the hub closes with `code` (1002, 1007, 1009)."""

    connection: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The TCP connection ended."""

    connection: int


@dataclass(frozen=True, slots=True)
class Paused:
    """The connection's send buffer is full: until Drained the hub keeps its messages in the outbox."""

    connection: int


@dataclass(frozen=True, slots=True)
class Drained:
    """The connection's send buffer has room again."""

    connection: int


@dataclass(frozen=True, slots=True)
class Timer:
    """The time that `Hub.next_timer_ns` named has come."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The bus gave a message its place in the one order; `payload` is the envelope, encoded once."""

    seq: int
    audience: Audience
    payload: bytes


@dataclass(frozen=True, slots=True)
class Revoked:
    """Tokens died, on any process: one (`jti`), or all of the account issued up to `until_ns`."""

    account_id: str
    jti: str | None = None
    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The process is asked to end: warn everyone, close with 1001, accept nothing."""


HubInput = Opened | FrameIn | Failed | Lost | Paused | Drained | Timer | Accepted | Revoked | Shutdown


@dataclass(frozen=True, slots=True)
class Send:
    """Write one text frame with `payload` to each receiver, in this order."""

    payload: bytes
    receivers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SendPing:
    """Write a protocol ping to each receiver."""

    receivers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SendPong:
    """Answer a protocol ping with its payload."""

    connection: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Start (or answer) the close handshake behind what was written; nothing is sent to it afterwards."""

    connection: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Abort:
    """End the TCP connection at once."""

    connection: int


Effect = Send | SendPing | SendPong | Close | Abort
