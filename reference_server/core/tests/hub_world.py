"""A hub with a clock that a test moves, and everything that its effects would have done to each peer."""

from collections import defaultdict

import msgspec

from reference_server.core.answers import Audience, Everyone, Only
from reference_server.core.effects import (
    Abort,
    Accepted,
    Close,
    Drained,
    Effect,
    FrameIn,
    HubInput,
    Lost,
    Opcode,
    Opened,
    Paused,
    Send,
    SendPing,
    SendPong,
    Timer,
)
from reference_server.core.hub import Hub
from reference_server.core.units import SECOND_NS

START_WALL_NS = 1_700_000_000 * SECOND_NS
NEVER_NS = START_WALL_NS + 10**9 * SECOND_NS


def ns(seconds: float) -> int:
    return round(seconds * SECOND_NS)


class HubWorld:
    """Inputs go in at `now_ns`; what came out is kept per connection, with its time."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.now_ns = 0
        self.opened = 0
        self.seq = 0
        self.got: dict[int, list[bytes]] = defaultdict(list)
        self.pings: dict[int, list[int]] = defaultdict(list)
        self.pongs: dict[int, list[bytes]] = defaultdict(list)
        self.closed: dict[int, tuple[int, int]] = {}
        self.aborted: dict[int, int] = {}
        self.sends = 0

    def put(self, item: HubInput) -> list[Effect]:
        effects = self.hub.handle(item, self.now_ns, START_WALL_NS + self.now_ns)
        for effect in effects:
            self._note(effect)
        return effects

    def open(self, account: str = "ann", *, jti: str = "t", issued_ns: int = 0, expires_ns: int = NEVER_NS) -> int:
        self.opened += 1
        self.put(Opened(self.opened, account, jti, issued_ns, expires_ns, f"client-{self.opened}"))
        return self.opened

    def accept(self, audience: Audience | str = "*", text: str = "") -> list[Effect]:
        self.seq += 1
        whom = audience if not isinstance(audience, str) else Everyone() if audience == "*" else Only(audience)
        heard, sent = self.hub.hears(whom), self.hub.figures().messages_sent
        effects = self.put(Accepted(self.seq, whom, text.encode() or b"m%d" % self.seq))
        assert heard or (effects, self.hub.figures().messages_sent) == ([], sent), "nobody heard, so nobody got it"
        return effects

    def say(self, connection: int, text: str | bytes) -> list[Effect]:
        return self.put(FrameIn(connection, Opcode.TEXT, text.encode() if isinstance(text, str) else text))

    def pause(self, connection: int) -> None:
        self.put(Paused(connection))

    def drain(self, connection: int, most: int = 10**9) -> None:
        while self.hub.backlogged(connection) and most:
            self.put(Drained(connection))
            most -= 1

    def lose(self, connection: int) -> None:
        self.put(Lost(connection))

    def run_to(self, seconds: float) -> None:
        """Let time pass, with the hub's timers at exactly their times."""
        end_ns = ns(seconds)
        while (due_ns := self.hub.next_timer_ns()) is not None and due_ns <= end_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self.put(Timer())
        self.now_ns = end_ns

    def messages(self, connection: int) -> list[bytes]:
        """What came after the welcome."""
        return self.got[connection][1:]

    def decoded(self, connection: int, index: int = -1) -> dict[str, object]:
        decoded: dict[str, object] = msgspec.json.decode(self.got[connection][index], type=dict[str, object])
        return decoded

    def _note(self, effect: Effect) -> None:
        match effect:
            case Send(payload, receivers):
                self.sends += 1
                for receiver in receivers:
                    assert receiver not in self.closed, "nothing is sent behind a close"
                    self.got[receiver].append(payload)
            case SendPing(receivers):
                for receiver in receivers:
                    self.pings[receiver].append(self.now_ns)
            case SendPong(connection, payload):
                self.pongs[connection].append(payload)
            case Close(connection, code, _):
                assert connection not in self.closed, "a connection is closed once"
                self.closed[connection] = (code, self.now_ns)
            case Abort(connection):
                self.aborted[connection] = self.now_ns
