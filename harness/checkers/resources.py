"""What answers must say of each other (contract §3): lists keep their order and filters, reads show what was written.

Judged on every call of the history, whatever it was made for; rows of the conformance suite add what they expect.
"""

from collections.abc import Iterator
from typing import Any, Final

from harness.checkers.calls import Call, Calls, is_before
from harness.checkers.sockets import Accounts
from harness.checkers.stamps import stamp_ns
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL
from reference_server.contract.seeded_agents import SEEDED_AGENTS

SEEDED, LISTED, SHOWN = "REST-AGENT-1", "REST-AGENT-2", "REST-AGENT-3"
READ, TASKS, CANCEL = "REST-TASK-1", "REST-TASK-2", "REST-TASK-3"
ME, FIGURES = "REST-USER-3", "REST-ORCH-1"
RATE_SLACK: Final = 0.01
FIXED_FIELDS: Final = ("id", "name", "description", "capabilities", "created_at", "owner_id")
"""What an agent shows alike in the list and alone, unless it was changed in between."""


class Resources(Fold):
    """Remembers what was submitted, canceled and listed; memory is bounded by the tasks and agents."""

    name = "resources"
    clauses = (SEEDED, LISTED, SHOWN, READ, TASKS, CANCEL, ME, FIGURES)

    def begin(self) -> None:
        """Forget everything."""
        self._calls, self._accounts = Calls(), Accounts()
        self._submits: dict[str, Call] = {}
        self._canceled: dict[str, Call] = {}
        self._listed: dict[str, tuple[dict[str, Any], Event]] = {}

    def take(self, event: Event) -> None:
        """Judge the answer that this event brings."""
        self._accounts.see(event)
        call = self._calls.see(event)
        if call is None or not call.status:
            return
        judge = getattr(self, f"_take_{call.operation}", None) if call.operation else None
        if judge is not None:
            judge(call)
        # Learned after it was judged: what `me` says may be the very thing that is wrong.
        self._accounts.see_call(call)

    # --- users

    def _take_me(self, call: Call) -> None:
        known = self._accounts.id_of(call.account)
        if (shown := call.shown) is not None and known is not None:
            told = f"me shows account {shown.get('id')}, the credential is of {known}"
            self.tally.judge(ME, shown.get("id") == known, told, call.done)

    # --- tasks

    def _take_submit_task(self, call: Call) -> None:
        if (shown := call.shown) is not None:
            self._submits[str(shown.get("task_id"))] = call

    def _take_get_task(self, call: Call) -> None:
        submit = self._submits.get(call.path_id)
        if submit is None or submit.account != call.account or not self._follows(submit, call):
            return
        shown = call.shown
        if shown is None and call.status != 404:
            return
        faults = list(_unlike(submit, shown))
        told = f"task {call.path_id} can't be read as it was submitted: {'; '.join(faults)}"
        self.tally.judge(READ, not faults, told, submit.done, call.done)
        canceled = self._canceled.get(call.path_id)
        if canceled is not None and shown is not None and self._follows(canceled, call):
            told = f"task {call.path_id} is {shown.get('status')} after its cancel was answered 200"
            self.tally.judge(CANCEL, shown.get("status") == "canceled", told, canceled.done, call.done)

    def _take_cancel_task(self, call: Call) -> None:
        before = self._canceled.get(call.path_id)
        if before is not None and self._follows(before, call):
            told = f"a second cancel of task {call.path_id} answered {call.status}, expected 409"
            self.tally.judge(CANCEL, call.status in (409, 429, 503), told, before.done, call.done)
        elif call.status == 200:
            self._canceled[call.path_id] = call
            self.tally.judge(CANCEL, True, "", call.done)

    def _take_list_tasks(self, call: Call) -> None:
        shown = call.shown
        if shown is None or shown.get("tasks") is None:
            return
        faults = [*_page_faults(call, shown), *_task_order_faults(shown["tasks"])]
        self.tally.judge(TASKS, not faults, f"the list of tasks is wrong: {'; '.join(faults)}", call.invoke, call.done)

    # --- agents

    def _take_list_agents(self, call: Call) -> None:
        shown = call.shown
        if shown is None or shown.get("agents") is None:
            return
        faults = list(_agents_faults(call, shown))
        self.tally.judge(
            LISTED, not faults, f"the list of agents is wrong: {'; '.join(faults)}", call.invoke, call.done
        )
        for agent in shown["agents"]:
            self._listed[str(agent.get("id"))] = (agent, call.done)
            self._judge_seeded(agent, call.done)

    def _take_get_agent(self, call: Call) -> None:
        shown = call.shown
        if shown is None:
            return
        self._judge_seeded(shown, call.done)
        known = self._listed.get(call.path_id)
        if known is not None and known[0].get("updated_at") == shown.get("updated_at"):
            differing = [name for name in FIXED_FIELDS if known[0].get(name) != shown.get(name)]
            told = f"agent {call.path_id} shows other {', '.join(differing)} alone than in the list"
            self.tally.judge(SHOWN, not differing, told, known[1], call.done)

    def _judge_seeded(self, agent: dict[str, Any], event: Event) -> None:
        row = next((seeded for seeded in SEEDED_AGENTS if seeded.id == agent.get("id")), None)
        if row is None:
            return
        faults = [
            f"{name} is {agent.get(name)!r}, expected {wanted!r}"
            for name, wanted in (("name", row.name), ("price", row.price), ("rating", row.rating))
            if agent.get(name) != wanted
        ]
        offered = agent.get("capabilities")
        if offered is None or not {*row.capabilities, "query-processing"} <= set(offered):
            faults.append(f"capabilities are {offered}")
        told = f"seeded agent {row.id} is not as listed: {'; '.join(faults)}"
        self.tally.judge(SEEDED, not faults, told, event)

    # --- orchestrator

    def _take_orchestrator_metrics(self, call: Call) -> None:
        names = ("tasks_processed", "tasks_succeeded", "tasks_failed", "tasks_timed_out", "success_rate")
        shown = call.shown
        if shown is None:
            return
        figures = [value for name in names if (value := shown.get(name)) is not None]
        if len(figures) != len(names):
            return
        processed, succeeded, failed, timed_out, rate = figures
        exact = 100 * succeeded / processed if processed else 0.0
        fits = processed == succeeded + failed and timed_out <= failed and abs(rate - exact) <= RATE_SLACK
        told = ", ".join(f"{name} {figure}" for name, figure in zip(names, figures, strict=True))
        self.tally.judge(FIGURES, fits, f"the figures contradict each other: {told}", call.done)

    def _follows(self, first: Call, second: Call) -> bool:
        return is_before(first.done, second.invoke, self.run.shared_clock)


def _unlike(submit: Call, body: dict[str, Any] | None) -> Iterator[str]:
    if body is None:
        yield "it answered 404"
        return
    sent = submit.sent
    priority = sent.get("priority", "normal")
    wanted = {
        "query": sent.get("query"),
        "description": sent.get("query"),
        "type": "query",
        "budget": sent.get("budget"),
        "timeout": sent.get("timeout", limits.TASK_TIMEOUT_S_DEFAULT),
        "priority": "normal" if priority == "medium" else priority,
        "input": {"query": sent.get("query"), "constraints": sent.get("constraints", {})},
    }
    for name, value in wanted.items():
        if body.get(name) != value:
            yield f"{name} is {body.get(name)!r}, submitted {value!r}"


def _page_faults(call: Call, body: dict[str, Any]) -> Iterator[str]:
    tasks = body["tasks"]
    limit, offset = _whole(call, "limit", limits.TASKS_LIMIT_DEFAULT), _whole(call, "offset", 0)
    if body.get("count") != len(tasks):
        yield f"count is {body.get('count')} of {len(tasks)} tasks"
    if (body.get("limit"), body.get("offset")) != (limit, offset):
        yield f"limit and offset are {body.get('limit')} and {body.get('offset')}, asked {limit} and {offset}"
    total = body.get("total")
    if total is not None and len(tasks) != max(0, min(limit, total - offset)):
        yield f"{len(tasks)} tasks of a total of {total}, asked {limit} from {offset}"
    status = call.query.get("status")
    if status and any(task.get("status") != status for task in tasks):
        yield f"other tasks than {status} ones"
    if status in FINAL and any(task.get("completed_at") is None for task in tasks):
        yield f"{status} tasks without an end"


def _task_order_faults(tasks: list[dict[str, Any]]) -> Iterator[str]:
    keys = [(-(stamp_ns(task.get("created_at")) or 0), str(task.get("id"))) for task in tasks]
    if keys != sorted(keys):
        yield "the order is not newest first, then by id"
    if len(set(keys)) != len(keys):
        yield "a task stands in it twice"


def _agents_faults(call: Call, body: dict[str, Any]) -> Iterator[str]:
    agents = body["agents"]
    page, limit = _whole(call, "page", 1), _whole(call, "limit", limits.AGENTS_LIMIT_DEFAULT)
    total = body.get("total")
    # A limit of 0 had to be refused; how many pages it makes is no question.
    if total is not None and limit:
        if body.get("total_pages") != -(-total // limit):
            yield f"total_pages is {body.get('total_pages')} for a total of {total} by {limit}"
        if len(agents) != max(0, min(limit, total - (page - 1) * limit)):
            yield f"{len(agents)} agents on page {page} of a total of {total}"
    if (body.get("page"), body.get("limit")) != (page, limit):
        yield f"page and limit are {body.get('page')} and {body.get('limit')}, asked {page} and {limit}"
    status, search = call.query.get("status"), str(call.query.get("search") or "").casefold()
    if status and any(agent.get("status") != status for agent in agents):
        yield f"other agents than {status} ones"
    if search and not all(_mentions(agent, search) for agent in agents):
        yield f"agents that don't mention {search!r}"
    keys = [_sort_key(str(call.query.get("sort") or "recent"), agent) for agent in agents]
    if keys != sorted(keys):
        yield f"the order is not by {call.query.get('sort') or 'recent'}, then by id"


def _mentions(agent: dict[str, Any], search: str) -> bool:
    words = [agent.get("name"), agent.get("description"), *(agent.get("capabilities") or [])]
    return any(search in str(word).casefold() for word in words)


def _sort_key(sort: str, agent: dict[str, Any]) -> tuple[Any, str]:
    tie = str(agent.get("id"))
    match sort:
        case "rating":
            return -(agent.get("rating") or 0), tie
        case "tasks":
            return -(agent.get("tasks_completed") or 0), tie
        case "price":
            return agent.get("price") or 0, tie
        case "name":
            # Which collation is the server's choice; only what every one has in common is judged elsewhere.
            return 0, ""
        case _:
            return -(stamp_ns(agent.get("created_at")) or 0), tie


def _whole(call: Call, name: str, default: int) -> int:
    given = call.query.get(name, default)
    return int(given) if str(given).isdecimal() else default
