"""Delivery on one connection (contract §5 a, d, f): no gap, no repeat, in the order accepted.

Without a tap the order of acceptance is known only in part: by the revisions and states of one task, and by what
sibling connections of the same audience read between two messages that both have. What these leave open is not
judged. With the tap every message is found by its digest in the list of what was accepted for its reader.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from msgspec import Struct

from harness.checkers.calls import Calls
from harness.checkers.moves import fewest_moves, pushed_next
from harness.checkers.published import Publishes, strong_of, weak_of
from harness.checkers.sockets import Accounts, Owners, Socket, Sockets, data_of, message_of
from harness.checkers.stamps import stamp_ns
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.lifecycle import FINAL

GAP, REPEAT, ORDER = "RT-PREFIX-1", "RT-PREFIX-2", "RT-PREFIX-3"
AGREE, TIME = "RT-ORDER-1", "RT-TIME-1"
SIBLINGS_MAX: Final = 32
"""How many other connections each one is compared with."""


class _Read(Struct, frozen=True):
    """One message as one connection read it; `audience` is the account it names, None for everyone.

    `task_id` of an update that the server sent by itself: then it is for the task's owner, named or not.
    """

    event: Event
    weak: bytes
    strong: bytes
    audience: str | None
    digest: str | None
    task_id: str | None = None


class _Line(Struct):
    """All that one connection read, in its order; the welcome and pongs are not accepted messages."""

    socket: Socket
    account: str | None
    reads: list[_Read] = []
    last_stamp: tuple[int, Event] | None = None
    tasks: dict[str, Event] = {}
    seen: dict[tuple[Any, ...], Event] = {}


class Prefix(Fold):
    """Holds one line a connection until the end, where lines are compared with each other and with the tap."""

    name = "prefix"
    clauses = (GAP, REPEAT, ORDER, AGREE, TIME)

    def begin(self) -> None:
        """Forget everything."""
        self._calls, self._sockets, self._accounts = Calls(), Sockets(), Accounts()
        self._publishes = Publishes()
        self._lines: dict[int, _Line] = {}
        self._tap: list[Event] = []
        self._owners = Owners(self._accounts)

    def take(self, event: Event) -> None:
        """Judge what one connection alone decides; keep the rest."""
        self._accounts.see(event)
        self._publishes.see(event)
        call = self._calls.see(event)
        if call is not None:
            self._accounts.see_call(call)
            self._publishes.see_call(call)
            self._owners.see_call(call)
        socket = self._sockets.see(event)
        message = message_of(event)
        if event.kind == "accepted" and isinstance(event.data.get("seq"), int):
            self._tap.append(event)
        elif socket is not None and message is not None:
            line = self._lines.setdefault(id(socket), _Line(socket, socket.account))
            self._judge_time(line, event, message)
            if socket.welcome is not event and message.get("type") != "pong":
                self._judge_one(line, event, message)

    def _judge_time(self, line: _Line, event: Event, message: dict[str, Any]) -> None:
        at_ns = stamp_ns(message.get("timestamp"))
        if at_ns is None:
            return
        if line.last_stamp is not None:
            before_ns, before = line.last_stamp
            told = f"{line.socket.told}: timestamp {message['timestamp']} is before that of the message read before it"
            self.tally.judge(TIME, at_ns >= before_ns, told, before, event)
        line.last_stamp = (at_ns, event)

    def _judge_one(self, line: _Line, event: Event, message: dict[str, Any]) -> None:
        user = message.get("user_id")
        digest = event.data.get("digest")
        weak = weak_of(message.get("type"), message.get("data"))
        data = data_of(message, "task_update")
        published = bool(self._publishes.of(message))
        task_id = data.get("task_id") if data is not None and not published else None
        audience = user if isinstance(user, str) else None
        told = digest if isinstance(digest, str) else None
        line.reads.append(_Read(event, weak, strong_of(message), audience, told, task_id))
        if published:
            return
        if data is not None and data.get("task_id") is not None:
            self._judge_task_order(line, event, data)
        self._judge_repeat(line, event, message)

    def _judge_repeat(self, line: _Line, event: Event, message: dict[str, Any]) -> None:
        once = _once(message)
        if once is None:
            return
        before = line.seen.get(once)
        told = f"{line.socket.told} received {' '.join(str(part) for part in once)} twice"
        self.tally.judge(REPEAT, before is None, told, *([before, event] if before is not None else [event]))
        line.seen[once] = event

    def _judge_task_order(self, line: _Line, event: Event, data: dict[str, Any]) -> None:
        before = line.tasks.get(data["task_id"])
        line.tasks[data["task_id"]] = event
        if before is None:
            return
        old = before.data["message"]["data"]
        gap = _task_gap(old, data)
        if gap is not None:
            told = f"{line.socket.told}, task {data['task_id']}: {gap}"
            self.tally.judge(GAP, not gap, told, before, event)

    def end(self) -> None:
        """Compare what was read with what was published, with the siblings, and with the tap."""
        lines = list(self._lines.values())
        for line in lines:
            line.account = self._accounts.id_of(line.socket.account)
            self._judge_published(line)
        for number, line in enumerate(lines):
            for other in lines[max(0, number - SIBLINGS_MAX) : number]:
                self._judge_pair(line, other)
        if self._tap:
            accepted = sorted(self._tap, key=lambda event: (event.data["seq"], event.index))
            for line in lines:
                self._judge_tap(line, accepted)

    def _judge_published(self, line: _Line) -> None:
        counts = Counter(read.weak for read in line.reads)
        last = {read.weak: read.event for read in line.reads}
        for weak, publishes in self._publishes.by_weak.items():
            if weak in counts:
                told = f"{line.socket.told} received a publish {counts[weak]} times, published {len(publishes)} times"
                self.tally.judge(REPEAT, counts[weak] <= len(publishes), told, publishes[0].invoke, last[weak])

    def _judge_pair(self, one: _Line, two: _Line) -> None:
        common = _common(one, two)
        if len(common) < 2:
            return
        first, second = _positions(one, common), _positions(two, common)
        ordered = sorted(common, key=first.__getitem__)
        for before, after in pairwise(ordered):
            agree = second[before] < second[after]
            told = f"{one.socket.told} and {two.socket.told} disagree on the order of two messages"
            at = (one.reads[first[before]], one.reads[first[after]], two.reads[second[before]])
            self.tally.judge(AGREE, agree, told, *(read.event for read in at))
        self._judge_missing(one, two, common)
        self._judge_missing(two, one, common)

    def _judge_missing(self, reader: _Line, sibling: _Line, common: set[bytes]) -> None:
        """Find what the sibling read between two messages that the reader has, and the reader has not."""
        own = _positions(reader, common)
        has = {read.weak for read in reader.reads}
        has_strong = {read.strong for read in reader.reads}
        waiting: list[_Read] = []
        before: _Read | None = None
        for read in sibling.reads:
            if read.strong in common:
                if before is not None and own[before.strong] < own[read.strong]:
                    told = (
                        f"{reader.socket.told} missed a message that {sibling.socket.told} read between two they share"
                    )
                    evidence = (before, *waiting[:1], read)
                    self.tally.judge(GAP, not waiting, told, *(found.event for found in evidence))
                before, waiting = read, []
            elif read.strong not in has_strong and self._misses(reader, read, has):
                waiting.append(read)

    def _misses(self, reader: _Line, read: _Read, has: set[bytes]) -> bool:
        """Say whether this message certainly was for the reader too, and nothing like it came."""
        audience = read.audience
        if audience is None and read.task_id is not None:
            audience = self._owners.of(read.task_id)
            if audience is None:
                return False
        for_reader = audience is None or (reader.account is not None and audience == reader.account)
        return for_reader and read.weak not in has

    def _judge_tap(self, line: _Line, accepted: list[Event]) -> None:
        if line.account is None or any(read.digest is None for read in line.reads):
            return
        own = [event for event in accepted if event.data.get("audience") in ("everyone", line.account)]
        places: dict[str, list[int]] = {}
        for place, event in enumerate(own):
            places.setdefault(str(event.data.get("digest")), []).append(place)
        taken: set[int] = set()
        highest: tuple[int, Event] | None = None
        for read in line.reads:
            free = [place for place in places.get(read.digest or "", []) if place not in taken]
            if not free:
                if read.digest in places:
                    told = f"{line.socket.told} received a message more often than it was accepted"
                    self.tally.judge(REPEAT, False, told, own[places[read.digest][0]], read.event)
                continue
            place = next((found for found in free if highest is None or found > highest[0]), free[0])
            taken.add(place)
            if highest is not None:
                told = f"{line.socket.told} received a message after one that was accepted later"
                self.tally.judge(ORDER, place > highest[0], told, own[place], highest[1], read.event)
            if highest is None or place > highest[0]:
                highest = (place, read.event)
        self._judge_tap_gaps(line, own, taken)

    def _judge_tap_gaps(self, line: _Line, own: list[Event], taken: set[int]) -> None:
        for place in range(min(taken, default=0), max(taken, default=-1) + 1):
            told = f"{line.socket.told} never received what was accepted for it as #{own[place].data.get('seq')}"
            self.tally.judge(GAP, place in taken, told, own[place])


def _once(message: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return what can come once only, if this message is such a thing."""
    update = data_of(message, "task_update")
    if update is not None:
        if update.get("revision") is not None:
            return ("task", update.get("task_id"), update.get("status"), "revision", update["revision"])
        return ("task", update.get("task_id"), update.get("status")) if update.get("status") in FINAL else None
    change = data_of(message, "agent_update")
    if change is not None and change.get("action") in ("registered", "deleted"):
        return ("agent", change.get("agent_id"), change["action"])
    return None


def _task_gap(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Return what is missing between two pushes of one task: a sentence, nothing, or None where undecidable."""
    was, now = str(old.get("status")), str(new.get("status"))
    if was not in pushed_next() or now not in pushed_next():
        return None
    grown = _growth(old.get("revision"), new.get("revision"))
    if grown is not None and grown < 0:
        return f"{now} at revision {new['revision']} came after {was} at revision {old['revision']}"
    if now in pushed_next()[was]:
        return ""
    moves = fewest_moves(was, now)
    # A task that moved as it must not is the lifecycle checker's; here only what certainly was pushed in between.
    if moves is None or (grown is not None and grown < moves):
        return None
    return f"{now} came after {was} without what was pushed in between"


def _growth(first: Any, second: Any) -> int | None:
    return second - first if isinstance(first, int) and isinstance(second, int) else None


def _common(one: _Line, two: _Line) -> set[bytes]:
    counts = [Counter(read.strong for read in line.reads) for line in (one, two)]
    return {strong for strong, times in counts[0].items() if times == 1 and counts[1].get(strong) == 1}


def _positions(line: _Line, common: set[bytes]) -> dict[bytes, int]:
    return dict(_placed(line, common))


def _placed(line: _Line, common: set[bytes]) -> Iterator[tuple[bytes, int]]:
    for place, read in enumerate(line.reads):
        if read.strong in common:
            yield read.strong, place
