"""Pushes of agents (contract §5 `agent_update`): each change reaches everyone once, and nothing else pushes one.

Owed to a connection that had its welcome before the change was invoked and stayed `SETTLE_MS` after it was answered,
or that read a push of a later change of the same agent.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from harness.checkers.calls import Call, Calls, is_before
from harness.checkers.delivery import NS_PER_MS, SETTLE_MS
from harness.checkers.published import Publishes
from harness.checkers.sockets import Socket, Sockets, data_of, message_of
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.operations import BASE

PUSHED, QUIET = "RT-AGENT-1", "RT-AGENT-2"
ACTIONS: Final = {
    "register_agent": "registered",
    "update_agent": "updated",
    "delete_agent": "deleted",
    "upload_binary": "updated",
    "put_binary": "updated",
    "delete_binary": "updated",
}
UNSURE: Final = (0, 500, 502, 504)


class _Line(Struct):
    """What one connection read of agents, by (agent, action), and whether it saw a task completed."""

    socket: Socket
    read: dict[tuple[str, str], list[Event]] = {}
    completed: Event | None = None


class Fleet(Fold):
    """Needs the whole history; memory is bounded by the changes, the connections and what they read."""

    name = "fleet"
    clauses = (PUSHED, QUIET)

    def begin(self) -> None:
        """Forget everything."""
        self._calls, self._sockets, self._publishes = Calls(), Sockets(), Publishes()
        self._lines: dict[int, _Line] = {}
        self._changes: dict[str, list[tuple[str, Call]]] = {}
        self._unsure: set[str] = set()
        self._unnamed = False
        self._last_ns = 0

    def take(self, event: Event) -> None:
        """Keep what was changed, and who read what."""
        self._last_ns = max(self._last_ns, event.at_ns)
        self._publishes.see(event)
        call = self._calls.see(event)
        if call is not None and call.operation in ACTIONS:
            self._changed(call)
        socket = self._sockets.see(event)
        message = message_of(event)
        if socket is None or message is None or self._publishes.of(message):
            return
        line = self._lines.setdefault(id(socket), _Line(socket))
        if (data := data_of(message, "agent_update")) is not None:
            line.read.setdefault((str(data.get("agent_id")), str(data.get("action"))), []).append(event)
        elif (data := data_of(message, "task_update")) is not None and data.get("status") == "completed":
            line.completed = event

    def _changed(self, call: Call) -> None:
        agent = _agent_of(call)
        if call.status in UNSURE:
            self._unsure.add(agent)
            self._unnamed = self._unnamed or not agent
        elif 200 <= call.status < 300:
            self._changes.setdefault(agent, []).append((ACTIONS[call.operation], call))

    def end(self) -> None:
        """Judge each connection against every change, and what it read against there having been one."""
        for invoke in self._calls.unfinished():
            # The history was cut before its answer: as unsure as one that got none.
            if (call := Call(invoke, invoke)).operation in ACTIONS:
                self._changed(call)
        for socket in self._sockets.all:
            if socket.welcome is None:
                continue
            line = self._lines.get(id(socket), _Line(socket))
            for agent in self._changes.keys() - self._unsure:
                self._judge_agent(line, agent)
            self._judge_quiet(line)

    def _judge_agent(self, line: _Line, agent: str) -> None:
        for action in sorted({action for action, _ in self._changes[agent]}):
            calls = [call for done, call in self._changes[agent] if done == action]
            read = line.read.get((agent, action), [])
            possible = [call for call in calls if not self._is_over(line.socket, call)]
            owed = [call for call in calls if self._is_owed(line, agent, call)]
            told = f"{line.socket.told} received {len(read)} agent_update({action}) of agent {agent}"
            if len(read) > len(possible):
                self.tally.judge(PUSHED, False, f"{told}, expected {len(possible)}", calls[-1].done, *read[-2:])
            elif len(read) < len(owed):
                self.tally.judge(PUSHED, False, f"{told}, expected {len(owed)}", owed[-1].done, *read[-1:])
            elif read:
                self.tally.judge(PUSHED, True, told, *read)
            elif possible:
                self.tally.undecided(PUSHED, "connections closed before what was missing had to come")

    def _is_over(self, socket: Socket, call: Call) -> bool:
        """Say whether the change was answered before the connection's handshake began, or invoked after its end."""
        before = is_before(call.done, socket.begin, self.run.shared_clock)
        return before or (socket.closed is not None and is_before(socket.closed, call.invoke, self.run.shared_clock))

    def _is_owed(self, line: _Line, agent: str, call: Call) -> bool:
        socket = line.socket
        if socket.welcome is None or not is_before(socket.welcome, call.invoke, self.run.shared_clock):
            return False
        until_ns = socket.closed.at_ns if socket.closed is not None else self._last_ns
        known = self.run.shared_clock or call.done.recorder == socket.recorder
        stayed = known and until_ns - call.done.at_ns >= SETTLE_MS * NS_PER_MS and not self.tally.faults
        return stayed or self._overtaken(line, agent, call)

    def _overtaken(self, line: _Line, agent: str, call: Call) -> bool:
        """Say whether the connection read of a later change of the agent: what is missing then comes no more."""
        return any(
            (agent, action) in line.read and action != ACTIONS[call.operation]
            for action, later in self._changes[agent]
            if is_before(call.done, later.invoke, self.run.shared_clock)
            and len([one for one, _ in self._changes[agent] if one == action]) == 1
        )

    def _judge_quiet(self, line: _Line) -> None:
        if line.completed is None or self._unnamed:
            return
        causeless = list(self._causeless(line))
        told = f"{line.socket.told} received an agent_update of an agent that nobody changed"
        self.tally.judge(QUIET, not causeless, told, line.completed, *causeless[:1])

    def _causeless(self, line: _Line) -> Iterator[Event]:
        for (agent, _), events in line.read.items():
            if agent not in self._changes and agent not in self._unsure:
                yield from events


def _agent_of(call: Call) -> str:
    """Return the agent that a change is about: from its answer, or the `{id}` of its path."""
    body: Any = call.body
    if call.operation == "register_agent":
        return str(body.get("agent_id", "")) if isinstance(body, dict) else ""
    return call.path.removeprefix(f"{BASE}/agents/").partition("/")[0]
