"""What came of a task (contract §§3, 4): cost, error, durations, and that status and result say what the task says.

A finished task never changes, so its readings must agree in whichever order they came. An agent's prices are known from
where it was registered, changed and read; a reference server of our own begins with the seeded ones.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.checkers.calls import Call, Calls, is_before
from harness.checkers.stamps import stamp_ns
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL, PROGRESS
from reference_server.contract.operations import BASE
from reference_server.contract.seeded_agents import SEEDED_AGENTS

COST, DURATION, ERROR, STEERED = "TASK-COST-2", "TASK-DURATION-1", "TASK-ERROR-1", "TASK-STEER-1"
STATUS, RESULT = "REST-STATUS-1", "REST-RESULT-1"
NS_PER_MS: Final = 1_000_000
DURATION_SLACK_MS: Final = 1.0
RUNNING_PROGRESS_MAX: Final = 99


class _Ended(Struct):
    """A task as it was read once it had finished, and by which call."""

    body: dict[str, Any]
    call: Call


class Outcomes(Fold):
    """Keeps each finished task as it was read first; memory is bounded by the tasks and agents."""

    name = "outcomes"
    clauses = (COST, DURATION, ERROR, STEERED, STATUS, RESULT)

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()
        self._prices = {agent.id: {agent.price} for agent in SEEDED_AGENTS} if self.run.local else {}
        self._steered: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, _Ended] = {}
        self._costs: list[tuple[str, str, float, Event]] = []
        self._results: dict[str, Call] = {}

    def take(self, event: Event) -> None:
        """Remember what a call showed, and judge it against what is known."""
        call = self._calls.see(event)
        if call is None or (body := call.shown) is None:
            return
        match call.operation:
            case "submit_task":
                self._submitted(call, body)
            case "get_task":
                self._read(call, body)
            case "get_task_status":
                self._judge_status(call, body)
            case "get_task_result":
                self._results.setdefault(_task_of(call), call)
                self._cost_shown(body.get("metadata"), body, "cost", call)
                self._judge_duration(call, body)
            case "get_agent" | "update_agent" | "list_agents" | "search_agents":
                self._learn_prices(body)
            case "register_agent":
                self._learn_prices({"id": body.get("agent_id"), "price": _price_asked(call.sent.get("pricing"))})
            case _:
                pass

    def end(self) -> None:
        """Judge the costs, now that all prices are known, and results beside their tasks."""
        for told, agent, cost, event in self._costs:
            prices = self._prices.get(agent)
            if prices is None:
                self.tally.undecided(COST, f"the price of agent {agent} is not known")
            else:
                self.tally.judge(COST, cost in prices, f"{told} costs {cost}, its agent {agent} {prices}", event)
        for task_id, call in self._results.items():
            ended = self._ended.get(task_id)
            if ended is not None and call.shown is not None:
                faults = list(_unlike(call.shown, ended.body))
                told = f"the result of task {task_id} differs from the task: {'; '.join(faults)}"
                self.tally.judge(RESULT, not faults, told, ended.call.done, call.done)

    def _submitted(self, call: Call, body: dict[str, Any]) -> None:
        constraints = call.sent.get("constraints")
        steered = constraints.get("simulate") if isinstance(constraints, dict) else None
        if isinstance(steered, dict):
            self._steered[str(body.get("task_id"))] = steered

    def _read(self, call: Call, body: dict[str, Any]) -> None:
        error, status, task_id = body.get("error"), body.get("status"), str(body.get("id"))
        if isinstance(error, str):
            told = f"task {task_id} has an error of {len(error)} characters, {limits.TASK_ERROR_CHARS_MAX} at most"
            self.tally.judge(ERROR, len(error) <= limits.TASK_ERROR_CHARS_MAX, told, call.done)
        if status not in FINAL:
            return
        if status == "failed" and not isinstance(error, str):
            self.tally.judge(ERROR, False, f"task {task_id} failed and does not say why", call.done)
        if task_id not in self._ended:
            self._ended[task_id] = _Ended(body, call)
            self._cost_shown(body, body, "actual_cost", call)
            self._judge_steered(task_id, body, call.done)

    def _cost_shown(self, run: Any, body: dict[str, Any], field: str, call: Call) -> None:
        agent, cost = run.get("assigned_to") if isinstance(run, dict) else None, body.get(field)
        if body.get("status") == "completed" and isinstance(agent, str) and isinstance(cost, (int, float)):
            self._costs.append((f"{call.told}: a completed task", agent, float(cost), call.done))

    def _learn_prices(self, body: dict[str, Any]) -> None:
        for agent in (body, *(body.get("agents") or [])):
            price = agent.get("price")
            if isinstance(agent.get("id"), str) and isinstance(price, (int, float)):
                self._prices.setdefault(agent["id"], set()).add(float(price))

    def _judge_steered(self, task_id: str, body: dict[str, Any], event: Event) -> None:
        told_ms = self._steered.get(task_id, {}).get("duration_ms")
        started, ended = stamp_ns(body.get("started_at")), stamp_ns(body.get("completed_at"))
        if body.get("status") != "completed" or not isinstance(told_ms, (int, float)) or not (started and ended):
            return
        # It may last longer: an attempt that was cut short begins anew, and started_at is the first one's.
        lasted_ms = (ended - started) / NS_PER_MS
        told = f"task {task_id} completed after {lasted_ms:.1f} ms, steered to last {told_ms} ms"
        self.tally.judge(STEERED, lasted_ms >= told_ms - DURATION_SLACK_MS, told, event)

    def _judge_status(self, call: Call, body: dict[str, Any]) -> None:
        task_id, status, progress = _task_of(call), str(body.get("status")), body.get("progress")
        told = f"the status of task {task_id} is {status} with progress {progress}"
        known = PROGRESS.get(status)  # type: ignore[call-overload]
        most = RUNNING_PROGRESS_MAX if status == "running" else known
        if isinstance(progress, int) and known is not None:
            self.tally.judge(STATUS, known <= progress <= most, told, call.done)
        ended = self._ended.get(task_id)
        if ended is None or not is_before(ended.call.done, call.invoke, self.run.shared_clock):
            return
        for name in ("status", "progress", "assigned_to"):
            same = body.get(name) == ended.body.get(name)
            self.tally.judge(STATUS, same, f"{told}; {name} differs from the task's", ended.call.done, call.done)

    def _judge_duration(self, call: Call, body: dict[str, Any]) -> None:
        run = body.get("metadata")
        if not isinstance(run, dict):
            return
        started, ended = stamp_ns(run.get("started_at")), stamp_ns(run.get("completed_at"))
        wanted_ms = (ended - started) / NS_PER_MS if started is not None and ended is not None else 0.0
        for name in ("duration_ms", "duration"):
            given = body.get(name)
            near = isinstance(given, (int, float)) and abs(given - wanted_ms) <= DURATION_SLACK_MS
            told = f"the result of task {_task_of(call)} has {name} {given}, expected {wanted_ms:g}"
            self.tally.judge(DURATION, near, told, call.done)


def _price_asked(pricing: Any) -> Any:
    """Return the price in a registration's JSON text; None when there is none."""
    try:
        read = msgspec.json.decode(pricing) if isinstance(pricing, str) else None
    except msgspec.DecodeError:
        return None
    return read.get("per_execution") if isinstance(read, dict) else None


def _task_of(call: Call) -> str:
    """Return the id in `/tasks/{id}/status` and the like."""
    return call.path.removeprefix(f"{BASE}/tasks/").partition("/")[0]


def _unlike(result: dict[str, Any], task: dict[str, Any]) -> Iterator[str]:
    given = result.get("metadata")
    run = given if isinstance(given, dict) else {}
    pairs = (
        *((name, result.get(name), task.get(name)) for name in ("status", "result", "error")),
        ("cost", result.get("cost"), task.get("actual_cost")),
        *((name, run.get(name), task.get(name)) for name in ("started_at", "completed_at", "assigned_to")),
    )
    for name, shown, wanted in pairs:
        if shown != wanted:
            yield f"{name} is {shown!r}, the task's {wanted!r}"
