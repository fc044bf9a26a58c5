"""Who must get what (contract §5 a, b and the table): pushes once, publishes honestly, from the welcome on.

Judged of connections that were open from before the cause until `SETTLE_MS` after it was known to have happened,
with no fault active in that time: a runner leaves its connections open so long after it is quiet, unless all that
it waits for has come. A push that a later one of the same task overtook on its connection needs no such time.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from harness.checkers.calls import Call, is_before
from harness.checkers.published import Publish, Publishes
from harness.checkers.sockets import Accounts, Socket, Sockets, message_of
from harness.checkers.tally import Fold
from harness.checkers.tasks import Sighting, Sightings
from harness.history import Event
from reference_server.contract.lifecycle import FINAL, PUSHED

PUSH, JOIN, HONEST = "RT-PUSH-1", "RT-JOIN-1", "RT-HONEST-1"
SETTLE_MS: Final = 5000
"""What has not come by then is lost; `harness.run` waits as long for what it is owed."""
NS_PER_MS: Final = 1_000_000


class _Line(Struct):
    """What one connection read: pushes by (task, status, revision), and publishes by what they say."""

    socket: Socket
    pushes: dict[str, list[Sighting]] = {}
    publishes: dict[bytes, list[Event]] = {}


class Delivery(Fold):
    """Needs the whole history: what must come is known only when everybody has told what they saw."""

    name = "delivery"
    clauses = (PUSH, JOIN, HONEST)

    def begin(self) -> None:
        """Forget everything."""
        self._sightings, self._accounts, self._publishes = Sightings(), Accounts(), Publishes()
        self._lines: dict[int, _Line] = {}
        self._rest: dict[str, list[Sighting]] = {}
        self._cancels: dict[str, Call] = {}
        self._healed_ns = 0
        self._last_ns = 0

    @property
    def _sockets(self) -> Sockets:
        return self._sightings.sockets

    def take(self, event: Event) -> None:
        """Keep who read what, and what REST showed."""
        self._last_ns = max(self._last_ns, event.at_ns)
        if event.kind == "fault" or self.tally.faults:
            self._healed_ns = event.at_ns
        self._accounts.see(event)
        self._publishes.see(event)
        for seen in self._sightings.see(event):
            self._keep(seen)
        call = self._sightings.last_call
        if call is not None:
            self._accounts.see_call(call)
            self._publishes.see_call(call)
            if call.operation == "cancel_task" and call.status == 200:
                self._cancels.setdefault(call.path_id, call)
        message = message_of(event)
        if message is not None and self._publishes.of(message):
            self._keep_publish(event, message)

    def _keep(self, seen: Sighting) -> None:
        if seen.source == "rest":
            self._rest.setdefault(seen.task_id, []).append(seen)
            del self._rest[seen.task_id][:-4]
        elif seen.socket is not None:
            line = self._lines.setdefault(id(seen.socket), _Line(seen.socket))
            line.pushes.setdefault(seen.task_id, []).append(seen)

    def _keep_publish(self, event: Event, message: dict[str, Any]) -> None:
        publishes = self._publishes.of(message)
        socket = next((found for found in reversed(self._sockets.all) if _is_of(found, event)), None)
        if socket is not None:
            line = self._lines.setdefault(id(socket), _Line(socket))
            line.publishes.setdefault(publishes[0].weak, []).append(event)

    def end(self) -> None:
        """Judge every connection against everything that happened while it was open."""
        for socket in self._sockets.all:
            if socket.welcome is None:
                continue
            line = self._lines.get(id(socket), _Line(socket))
            reader = self._accounts.id_of(socket.account)
            self._judge_pushes(line, reader)
            self._judge_join(line)
            self._judge_honest(line, reader)

    # --- pushes

    def _judge_pushes(self, line: _Line, reader: str | None) -> None:
        for task_id, submitted in self._sightings.submitted.items():
            if reader is None or self._accounts.id_of(submitted.call.account) != reader:
                continue
            if not self._is_before(line.socket.welcome, submitted.call.invoke):
                continue
            for status, revision, event in self._known(task_id, submitted.call):
                self._judge_push(line, task_id, status, revision, submitted.call.invoke, event)

    def _known(self, task_id: str, submit: Call) -> Iterator[tuple[str, int | None, Event]]:
        """Yield what certainly was pushed of a task, once each, with the event that proves it."""
        shown = [seen for seen in self._rest.get(task_id, []) if seen.status in FINAL]
        pushed = [push for line in self._lines.values() for push in line.pushes.get(task_id, [])]
        told: set[tuple[str, int | None]] = {("queued", 1)}
        yield "queued", 1, submit.done
        for seen in (*shown, *pushed):
            # A final state comes once; of the others only a revision tells one from the next.
            key = (seen.status, None if seen.status in FINAL else seen.revision)
            if seen.status in PUSHED and key not in told and (seen.revision is not None or seen.status in FINAL):
                told.add(key)
                yield seen.status, seen.revision, seen.event

    def _judge_push(
        self, line: _Line, task_id: str, status: str, revision: int | None, cause: Event, known: Event
    ) -> None:
        got = [push for push in line.pushes.get(task_id, []) if _matches(push, status, revision)]
        told = f"{line.socket.told} never received task_update({status}) of task {task_id}"
        if got:
            extra = [push for push in got if status in FINAL or push.revision is not None]
            twice = f"{line.socket.told} received task_update({status}) of task {task_id} {len(extra)} times"
            self.tally.judge(PUSH, len(extra) <= 1, twice, *(push.event for push in got))
        elif self._stayed(line.socket, known) or _overtaken(line, task_id, revision):
            self.tally.judge(PUSH, False, told, cause, known)
            self.tally.judge(JOIN, status != "queued", told, cause, known)
        else:
            self.tally.undecided(PUSH, "connections closed before what was missing had to come")

    # --- joining

    def _judge_join(self, line: _Line) -> None:
        for task_id, pushes in line.pushes.items():
            submitted = self._sightings.submitted.get(task_id)
            cancel = self._cancels.get(task_id)
            for push in pushes:
                created = push.status == "queued" and push.revision == 1
                if created and submitted is not None:
                    self._judge_joined(line, push.event, submitted.call)
                if push.status == "canceled" and cancel is not None:
                    self._judge_joined(line, push.event, cancel)
        for weak, events in line.publishes.items():
            publishes = self._publishes.by_weak.get(weak, [])
            if len(publishes) == 1 and publishes[0].done is not None:
                self._judge_joined(line, events[0], Call(publishes[0].invoke, publishes[0].done))

    def _judge_joined(self, line: _Line, event: Event, call: Call) -> None:
        if self._is_before(call.done, line.socket.begin):
            told = f"{line.socket.told} received what was answered before its handshake began"
            self.tally.judge(JOIN, False, told, call.done, line.socket.begin, event)
        elif self._is_before(line.socket.welcome, call.invoke):
            self.tally.judge(JOIN, True, "", event)

    # --- publishes

    def _judge_honest(self, line: _Line, reader: str | None) -> None:
        for weak, publishes in self._publishes.by_weak.items():
            got = line.publishes.get(weak, [])
            if not any(publish.may_come for publish in publishes):
                told = f"{line.socket.told} received a publish that was answered {publishes[0].status}"
                evidence = (publishes[0].invoke, *got[:1])
                if self._was_there(line.socket, publishes[0]):
                    self.tally.judge(HONEST, not got, told, *evidence)
                continue
            owed = [publish for publish in publishes if self._owes(line.socket, reader, publish)]
            if owed:
                told = f"{line.socket.told} received {len(got)} of {len(owed)} publishes that were answered 2xx"
                self.tally.judge(HONEST, len(got) >= len(owed), told, owed[0].invoke, *got[:1])

    def _owes(self, socket: Socket, reader: str | None, publish: Publish) -> bool:
        if not 200 <= publish.status < 300 or publish.done is None:
            return False
        if publish.audience is not None and publish.audience != reader:
            return False
        return self._is_before(socket.welcome, publish.invoke) and self._stayed(socket, publish.done)

    def _was_there(self, socket: Socket, publish: Publish) -> bool:
        after = socket.closed is None or (publish.done is not None and self._is_before(publish.done, socket.closed))
        return self._is_before(socket.welcome, publish.invoke) and after

    # --- time

    def _is_before(self, first: Event | None, second: Event) -> bool:
        return first is not None and is_before(first, second, self.run.shared_clock)

    def _stayed(self, socket: Socket, known: Event) -> bool:
        """Say whether the connection was open, untroubled, long enough after `known` for everything to come."""
        if not self.run.shared_clock and known.recorder != socket.recorder:
            return False
        until_ns = socket.closed.at_ns if socket.closed is not None else self._last_ns
        return until_ns - max(known.at_ns, self._healed_ns) >= SETTLE_MS * NS_PER_MS


def _matches(push: Sighting, status: str, revision: int | None) -> bool:
    if push.status != status:
        return False
    # A final state comes once, whatever revision a later read shows.
    return revision is None or push.revision is None or push.revision == revision or status in FINAL


def _overtaken(line: _Line, task_id: str, revision: int | None) -> bool:
    """Say whether the connection read a later push of the task: then the missing one comes no more."""
    read = line.pushes.get(task_id, [])
    return revision is not None and any(push.revision is not None and push.revision > revision for push in read)


def _is_of(socket: Socket, event: Event) -> bool:
    return (socket.recorder, socket.name) == (event.recorder, event.connection)
