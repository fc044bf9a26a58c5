"""What a process leaves behind (contract §4, §5 liveness): a kill loses nothing acknowledged, a stop says goodbye.

Reads `process {action: "kill" | "terminate" | "ended" | "start" | "ready", code?}` of the runner, the submits
answered before, and the reads answered after `ready`. Kills, and writes answered 2xx a second from `phase faults` to
the kill, stand in the figures: how hard the promise was tried.
"""

from typing import Final

from harness.checkers.calls import Call
from harness.checkers.sockets import Socket, data_of, message_of
from harness.checkers.tally import Fold
from harness.checkers.tasks import Sightings
from harness.history import Event
from reference_server.contract import limits
from reference_server.contract.codes import CloseCode
from reference_server.contract.lifecycle import FINAL
from reference_server.contract.operations import BY_NAME

SHUTDOWN, CRASH, RESTART = "LIVE-SHUTDOWN-1", "LIVE-CRASH-1", "TASK-RESTART-1"
NS_PER_S: Final = 1_000_000_000
SLACK_S: Final = 1.0


class _Pressure:
    """How often was killed, and how fast was written until then."""

    def __init__(self) -> None:
        self._kills = 0
        self._writes = 0
        self._writing_ns = 0
        self._since: Event | None = None

    def see(self, event: Event, call: Call | None) -> None:
        if event.kind == "phase" and event.data.get("name") == "faults":
            self._since = event
        elif event.kind == "process" and event.data.get("action") == "kill" and self._since is not None:
            self._kills += 1
            self._writing_ns += event.at_ns - self._since.at_ns
            self._since = None
        elif call is not None and self._since is not None and _wrote(call):
            self._writes += 1

    def figures(self) -> dict[str, float]:
        if not self._writing_ns:
            return {}
        return {"kills": self._kills, "writes_per_s": round(self._writes * NS_PER_S / self._writing_ns, 1)}


def _wrote(call: Call) -> bool:
    operation = BY_NAME.get(call.operation)
    return operation is not None and operation.method != "GET" and 200 <= call.status < 300


class Restart(Fold):
    """Remembers what was acknowledged before the process went; memory is bounded by the tasks."""

    name = "restart"
    clauses = (SHUTDOWN, CRASH, RESTART)

    def begin(self) -> None:
        """Forget everything."""
        self._sightings = Sightings()
        self._killed: Event | None = None
        self._pressure = _Pressure()
        self._ready: Event | None = None
        self._owed: dict[str, Call] = {}
        self._unfinished: set[str] = set()
        self._finished: set[str] = set()
        self._queries: dict[tuple[str | None, str], int] = {}
        self._terminated: Event | None = None
        self._warned: set[int] = set()
        self._parting: list[Socket] = []

    def take(self, event: Event) -> None:
        """Follow the process, and what is read afterwards."""
        seen = list(self._sightings.see(event))
        call = self._sightings.last_call
        self._pressure.see(event, call)
        if event.kind == "process":
            self._process(event)
        if call is not None and call.operation == "submit_task" and call.status == 202:
            key = (call.account, str(call.sent.get("query")))
            self._queries[key] = self._queries.get(key, 0) + 1
        for sighting in seen:
            if sighting.status in FINAL:
                self._finished.add(sighting.task_id)
        if call is not None and self._is_after_restart(call):
            self._judge_read(call)
        if self._terminated is not None and event.kind == "received":
            self._parting_word(event)

    def _process(self, event: Event) -> None:
        match event.data.get("action"):
            case "kill":
                self._killed, self._ready = event, None
                self._owe()
            case "terminate":
                self._terminated, self._ready = event, None
                self._owe()
                live = self._sightings.sockets.all
                self._parting = [found for found in live if found.welcome is not None and found.closed is None]
            case "ended":
                self._judge_shutdown(event)
            case "ready":
                self._ready = event
            case _:
                pass

    def _owe(self) -> None:
        for task_id, submitted in self._sightings.submitted.items():
            self._owed[task_id] = submitted.call
            if task_id not in self._finished:
                self._unfinished.add(task_id)

    def _is_after_restart(self, call: Call) -> bool:
        return self._ready is not None and bool(self._owed) and call.invoke.at_ns >= self._ready.at_ns

    def _judge_read(self, call: Call) -> None:
        if call.operation == "get_task" and call.path_id in self._owed and call.status in (200, 404):
            submit = self._owed[call.path_id]
            if submit.account == call.account:
                told = f"task {call.path_id} was acknowledged and is unknown after the restart"
                clause = CRASH if self._killed is not None else RESTART
                self.tally.judge(clause, call.status == 200, told, submit.done, call.done)
                if clause is CRASH and call.path_id in self._unfinished:
                    self.tally.judge(RESTART, call.status == 200, told, submit.done, call.done)
        elif call.operation == "list_tasks" and call.status == 200:
            self._judge_doubled(call)

    def _judge_doubled(self, call: Call) -> None:
        tasks = call.shown.get("tasks") if call.shown is not None else None
        found: dict[str, set[str]] = {}
        for body in tasks if isinstance(tasks, list) else []:
            if isinstance(body, dict):
                found.setdefault(str(body.get("query")), set()).add(str(body.get("id")))
        for query, ids in found.items():
            submitted = self._queries.get((call.account, query))
            if submitted is not None:
                told = f"{len(ids)} tasks have the query {query!r} after the restart, {submitted} were submitted"
                # An unanswered submit may have been taken: only its answer counts it.
                answered = not self._unanswered(query)
                if answered:
                    self.tally.judge(RESTART, len(ids) <= submitted, told, call.done)

    def _unanswered(self, query: str) -> bool:
        return query in self._sightings.unanswered_queries

    def _parting_word(self, event: Event) -> None:
        data = data_of(message_of(event), "system")
        if data is not None and data.get("level") == "warning":
            self._warned.update(id(found) for found in self._parting if _is_of(found, event))

    def _judge_shutdown(self, event: Event) -> None:
        if self._terminated is None:
            return
        code = event.data.get("code")
        self.tally.judge(SHUTDOWN, code == 0, f"the exit code is {code}, expected 0", self._terminated, event)

    def end(self) -> None:
        """Judge the goodbyes, and whether what was cut short has finished."""
        if self._terminated is not None:
            for socket in self._parting:
                self._judge_parting(socket, self._terminated)
        self.tally.figure(CRASH, **self._pressure.figures())
        if self._ready is None:
            return
        for task_id in self._unfinished:
            if task_id in self._finished:
                self.tally.judge(RESTART, True, "", self._owed[task_id].done)
            else:
                self.tally.undecided(RESTART, "not every interrupted task was seen to finish")

    def _judge_parting(self, socket: Socket, asked: Event) -> None:
        closed = socket.closed
        if closed is None:
            self.tally.judge(SHUTDOWN, False, f"{socket.told} was never closed after the stop", asked)
            return
        after_s = (closed.at_ns - asked.at_ns) / NS_PER_S
        told = f"{socket.told} closed with {closed.data.get('code')} after {after_s:.1f} s, expected 1001 within 5 s"
        if closed.data.get("code") == CloseCode.GOING_AWAY:
            over_s = after_s - limits.SHUTDOWN_CLOSE_S_MAX - SLACK_S
            self.tally.judge_time(SHUTDOWN, over_s * 1000, told, asked, closed)
        else:
            self.tally.judge(SHUTDOWN, False, told, asked, closed)
        self.tally.judge(SHUTDOWN, id(socket) in self._warned, f"{socket.told} got no warning", asked, closed)


def _is_of(socket: Socket, event: Event) -> bool:
    return (socket.recorder, socket.name) == (event.recorder, event.connection)
