"""Each valid ping is answered by a pong that gives its timestamp back, in order (contract §5 pong)."""

from collections import deque
from typing import Any, Final

from msgspec import UNSET

from harness.checkers.sockets import Socket, Sockets, data_of, message_of
from harness.checkers.stamps import stamp_ns
from harness.checkers.tally import Fold
from harness.history import Event

PONG: Final = "RT-PONG-1"
ANSWER_MS_MAX: Final = 10_000
"""A client counts the connection as lost after this (§6 ping); so a judge may miss the pong then."""
NS_PER_MS: Final = 1_000_000


class Pong(Fold):
    """Keeps the unanswered pings of each connection; memory is bounded by them."""

    name = "pong"
    clauses = (PONG,)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._sockets = Sockets(only_live=True)
        self._waiting: dict[int, tuple[Socket, deque[Event]]] = {}
        self._opaque: dict[int, Socket] = {}
        self._last_ns = 0

    def take(self, event: Event) -> None:
        """Pair pongs with pings."""
        self._last_ns = max(self._last_ns, event.at_ns)
        socket = self._sockets.see(event)
        if socket is None:
            return
        key = id(socket)
        if event.kind == "sent" and _may_hide_pings(event):
            self._opaque[key] = socket
            self._waiting.pop(key, None)
        if event.kind == "closed":
            self._opaque.pop(key, None)
            _, waiting = self._waiting.pop(key, (socket, deque()))
            self._judge_missing(socket, waiting, event.at_ns)
        elif key not in self._opaque:
            self._pair(socket, event, self._waiting.setdefault(key, (socket, deque()))[1])

    def _pair(self, socket: Socket, event: Event, waiting: deque[Event]) -> None:
        if event.kind == "sent" and is_valid_ping(event.data.get("message")):
            waiting.append(event)
        elif (answer := data_of(message_of(event), "pong")) is not None:
            self._judge_pong(socket, waiting, event, answer)

    def end(self) -> None:
        """Judge the pings that nobody answered."""
        for socket, waiting in self._waiting.values():
            self._judge_missing(socket, waiting, self._last_ns)

    def _judge_pong(self, socket: Socket, waiting: deque[Event], event: Event, answer: dict[str, Any]) -> None:
        if not waiting:
            self.tally.judge(PONG, False, f"{socket.told} received a pong that no ping asked for", event)
            return
        ping = waiting.popleft()
        asked = ping.data["message"].get("timestamp", UNSET)
        told = f"{socket.told} received a pong with {answer}, the ping's timestamp was {_told(asked)}"
        self.tally.judge(PONG, answer.get("received", UNSET) == asked, told, ping, event)

    def _judge_missing(self, socket: Socket, waiting: deque[Event], until_ns: int) -> None:
        for ping in waiting:
            if until_ns - ping.at_ns >= ANSWER_MS_MAX * NS_PER_MS:
                told = f"{socket.told} got no pong within {ANSWER_MS_MAX} ms"
                self.tally.judge(PONG, False, told, ping)
            else:
                self.tally.undecided(PONG, "a connection ended before its pong was due")


def is_valid_ping(message: Any) -> bool:
    """Say whether a sent message is a ping that the contract wants answered."""
    if not isinstance(message, dict) or message.get("type") != "ping":
        return False
    return "timestamp" not in message or stamp_ns(message["timestamp"]) is not None


def _may_hide_pings(event: Event) -> bool:
    """Say whether raw bytes were sent whose text the record doesn't hold: then pongs can't be paired."""
    return "message" not in event.data and event.data.get("opcode") not in ("ping", "pong", "close")


def _told(asked: Any) -> str:
    return "absent" if asked is UNSET else repr(asked)
