"""What the hub knows of one connection, and the groups in which it finds the receivers of a message.

Only connections reported paused have an outbox: all others are written to as messages come (law 1). A group keeps
its ready members as one tuple until they change, so a message costs no work for each of them.
"""

from collections import deque
from enum import Enum

from reference_server.contract import limits
from reference_server.core.effects import Close, Opened
from reference_server.core.tables import refit


class Stage(Enum):
    """LIVE takes messages; ENDING gets what it has, then its close; CLOSED had its close and waits for the end."""

    LIVE = "live"
    ENDING = "ending"
    CLOSED = "closed"


class Outbox:
    """What waits for a paused connection: at most 256 messages and 1 MiB (contract §5c)."""

    __slots__ = ("_messages", "_size", "close", "ping", "pong")

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._size = 0
        self.close: Close | None = None
        self.pong: bytes | None = None
        self.ping = False

    def __bool__(self) -> bool:
        return bool(self._messages)

    def put(self, payload: bytes) -> bool:
        """Take a message; False when there is no room for it."""
        if len(self._messages) >= limits.OUTBOX_MESSAGES_MAX or self._size + len(payload) > limits.OUTBOX_BYTES_MAX:
            return False
        self._messages.append(payload)
        self._size += len(payload)
        return True

    def take(self) -> bytes:
        """Give the oldest message; raises IndexError when there is none."""
        payload = self._messages.popleft()
        self._size -= len(payload)
        return payload


class Connection:
    """One connection; instants are the hub's monotonic ns, but for `issued_at_ns`, the token's wall time."""

    __slots__ = (
        "abort_at_ns",
        "account_id",
        "due_ns",
        "expires_ns",
        "frames_full_at_ns",
        "issued_at_ns",
        "jti",
        "last_frame_ns",
        "number",
        "outbox",
        "ping_at_ns",
        "stage",
    )

    def __init__(self, opened: Opened, now_ns: int, expires_ns: int, ping_at_ns: int) -> None:
        self.number = opened.connection
        self.account_id = opened.account_id
        self.jti = opened.jti
        self.issued_at_ns = opened.issued_at_ns
        self.expires_ns = expires_ns
        self.ping_at_ns = ping_at_ns
        self.last_frame_ns = now_ns
        self.frames_full_at_ns = now_ns
        self.due_ns = 0
        self.abort_at_ns = 0
        self.stage = Stage.LIVE
        self.outbox: Outbox | None = None


class Group:
    """The connections of one audience: `ready` are written to at once, `stalled` have an outbox."""

    __slots__ = ("_ready", "_receivers", "stalled")

    def __init__(self) -> None:
        self._ready: dict[int, Connection] = {}
        self._receivers: tuple[int, ...] | None = None
        self.stalled: dict[int, Connection] = {}

    def __len__(self) -> int:
        return len(self._ready) + len(self.stalled)

    @property
    def members(self) -> list[Connection]:
        """Every member, the ready ones first."""
        return [*self._ready.values(), *self.stalled.values()]

    @property
    def receivers(self) -> tuple[int, ...]:
        """The numbers of the ready members."""
        if self._receivers is None:
            self._receivers = tuple(self._ready)
        return self._receivers

    def put(self, connection: Connection) -> None:
        """Add a member, or move it to where its outbox says it belongs."""
        self.remove(connection)
        if connection.outbox is None:
            self._ready[connection.number] = connection
        else:
            self.stalled[connection.number] = connection

    def remove(self, connection: Connection) -> None:
        """Take a member out; nothing when it is none."""
        if self._ready.pop(connection.number, None) is None:
            self.stalled.pop(connection.number, None)
        self._receivers = None

    def shrink(self) -> None:
        """Keep no room for members that are gone."""
        refit(self._ready)
        refit(self.stalled)
