"""The one runner: brings a scenario to life on any target, whatever the tier.

Lanes run at the same time, a `Phase` is a barrier for all of them, every wait has a deadline. The runner judges
nothing: a step that could not be done becomes a `note` with the reason, so that what it would have exercised is
unknown and never a violation.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, assert_never

from harness.checkers.delivery import SETTLE_MS
from harness.client.forms import File, Form
from harness.client.rest import SignInError
from harness.targets.base import Answered, Person, Session, Tab, Target
from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL
from reference_server.contract.seeded_agents import QUERY_CAPABILITY
from scenarios.model import (
    AgentStep,
    AnyStep,
    Broadcast,
    Cancel,
    ChangeAgent,
    CloseTab,
    Cut,
    DeleteAgent,
    Deploy,
    OpenTab,
    Phase,
    Read,
    RegisterAgent,
    Scenario,
    SignUp,
    Sleep,
    StopDeployment,
    Submit,
    Watch,
)

ADMIN: Final = "admin"
OPEN_WITHIN_S: Final = 15.0
REOPEN_WITHIN_S: Final = 2.0 * sum(limits.RECONNECT_DELAYS_S)
FINISH_WITHIN_S: Final = 60.0
SETTLE_S: Final = SETTLE_MS / 1000
"""How long pushes of the last changes may take once all tasks are finished: as long as their judge allows."""
SETTLE_MIN_S: Final = 0.5
"""What nobody waits for (a doubled push, one for another account) has so long to show."""
POLL_S: Final = 0.25
BINARY: Final = b"\0asm\x01\0\0\0" + bytes(limits.BINARY_BYTES_MIN)
WATCH_SLICE_S: Final = 2.0
LAST_PHASES: Final = ("healed", "quiet")


class NotDoneError(Exception):
    """A step that could not be done; the sentence becomes a note."""


@dataclass(slots=True)
class _OpenTab:
    tab: Tab
    who: str
    left: bool = False


@dataclass(slots=True)
class _Run:
    """What a run knows of who is there: sessions by person, tabs by name, task ids by the scenario's names."""

    target: Target
    scenario: Scenario
    people: Mapping[str, Person]
    started_ns: int = 0
    sessions: dict[str, Session] = field(default_factory=dict)
    tabs: dict[str, _OpenTab] = field(default_factory=dict)
    tasks: dict[str, tuple[str, str]] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    deployments: dict[str, str] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    broadcasts: list[str] = field(default_factory=list)

    def session(self, who: str) -> Session:
        found = self.sessions.get(who)
        if found is None:
            raise NotDoneError(f"{who!r} is not signed in")
        return found

    def tab(self, name: str) -> _OpenTab:
        found = self.tabs.get(name)
        if found is None:
            raise NotDoneError(f"tab {name!r} was never opened")
        return found

    def task(self, name: str) -> tuple[str, str]:
        found = self.tasks.get(name)
        if found is None:
            raise NotDoneError(f"task {name!r} was never submitted")
        return found

    def agent(self, name: str) -> str:
        found = self.agents.get(name)
        if found is None:
            raise NotDoneError(f"agent {name!r} was never registered")
        return found

    def spent_s(self) -> float:
        return (self.target.recorder.now_ns() - self.started_ns) / 1e9

    def note(self, why: str, **told: Any) -> None:
        self.target.recorder.record("note", why=why, **told)


async def run_scenario(target: Target, scenario: Scenario, people: Iterable[Person]) -> None:
    """Run the scenario to its end with `people`, who are found by their names.

    Records `phase` (start, the scenario's own, end), `fault` (inject, heal) and `note`. The tabs stay open for the
    caller to close with the target.
    """
    run = _Run(target, scenario, {person.name: person for person in people})
    run.started_ns = target.recorder.now_ns()
    target.recorder.record("phase", name="start", scenario=scenario.name)
    reached: list[str] = []
    for steps, phase in segments(scenario.steps):
        await target.gather(*(_run_lane(run, lane) for lane in lanes(steps)))
        if phase is not None:
            reached.append(phase)
            await _enter(run, phase)
    # A shrunk script may have lost its last phases; liveness is judged in them all the same.
    for phase in LAST_PHASES:
        if phase not in reached:
            await _enter(run, phase)
    target.recorder.record("phase", name="end")


def segments(steps: Sequence[AnyStep]) -> list[tuple[list[AnyStep], str | None]]:
    """Cut the steps at their barriers: what runs up to each phase, and its name; None after the last."""
    found: list[tuple[list[AnyStep], str | None]] = []
    current: list[AnyStep] = []
    for step in steps:
        if isinstance(step, Phase):
            found.append((current, step.name))
            current = []
        else:
            current.append(step)
    return [*found, (current, None)] if current else found


def lanes(steps: Sequence[AnyStep]) -> list[list[AnyStep]]:
    """Sort steps into their lanes, lanes in the order of their first step."""
    by_name: dict[str, list[AnyStep]] = {}
    for step in steps:
        by_name.setdefault(step.lane, []).append(step)
    return list(by_name.values())


async def _run_lane(run: _Run, steps: Sequence[AnyStep]) -> None:
    for step in steps:
        what = type(step).__name__
        if run.spent_s() > run.scenario.seconds_max:
            run.note(f"no time left: the scenario may take {run.scenario.seconds_max:g} s", step=what, lane=step.lane)
            return
        try:
            await _do(run, step)
        except (NotDoneError, SignInError) as fault:
            run.note(str(fault), step=what, lane=step.lane)


async def _do(run: _Run, step: AnyStep) -> None:  # noqa: C901 - one row for each kind of step
    match step:
        case SignUp(who=who):
            await _sign_up(run, who)
        case OpenTab():
            await _open_tab(run, step)
        case Submit():
            await _submit(run, step)
        case Cancel(who=who, task=task):
            await _call(run, who, "cancel_task", path={"id": run.task(task)[1]})
        case Read(who=who, task=""):
            await _call(run, who, "list_tasks")
        case Read(who=who, task=task):
            await _call(run, who, "get_task", path={"id": run.task(task)[1]})
        case Watch():
            await _watch(run, step)
        case RegisterAgent() | ChangeAgent() | DeleteAgent() | Deploy() | StopDeployment():
            await _tend_agents(run, step)
        case Broadcast(text=text):
            await _broadcast(run, text)
        case Cut(tab=name):
            await _cut(run, name)
        case CloseTab(tab=name):
            run.tab(name).left = True
            await run.tab(name).tab.close()
        case Sleep(seconds=seconds, drawn=drawn):
            await run.target.sleep(seconds * run.target.draw() if drawn else seconds)
        case Phase():
            raise AssertionError("a phase is a barrier, never a step of a lane")
        case _:
            assert_never(step)


async def _call(run: _Run, who: str, operation: str, **given: Any) -> Answered:
    answer = await run.session(who).call(operation, **given)
    if answer.status == 0:
        raise NotDoneError(f"{operation} of {who!r} got no answer")
    return answer


async def _sign_up(run: _Run, who: str) -> None:
    if who not in run.people:
        raise NotDoneError(f"nobody is called {who!r}; the run was given {', '.join(sorted(run.people))}")
    run.sessions[who] = await run.target.sign_up(run.people[who])


async def _open_tab(run: _Run, step: OpenTab) -> None:
    session = run.session(step.who)
    try:
        tab = await run.target.open_tab(session, step.tab)
    except RuntimeError as fault:
        raise NotDoneError(f"tab {step.tab!r} could not be opened: {fault}") from fault
    run.tabs[step.tab] = _OpenTab(tab, step.who)
    if not await tab.wait_open(OPEN_WITHIN_S):
        raise NotDoneError(f"tab {step.tab!r} had no welcome within {OPEN_WITHIN_S:g} s")


async def _submit(run: _Run, step: Submit) -> None:
    body: dict[str, Any] = {
        # The scenario's own name of the task makes each query differ, so that loss and doubling show in messages.
        "query": f"{step.query} [{step.task}]",
        "budget": step.budget,
        "priority": step.priority,
        "timeout": step.timeout_s,
    }
    if step.simulate and "steer" in run.target.capabilities.needs:
        body["constraints"] = {"simulate": step.simulate}
    elif step.simulate:
        run.note("the target can't be steered; the task runs as it will", step="Submit", lane=step.lane)
    answer = await _call(run, step.who, "submit_task", body=body)
    match answer.body:
        case {"task_id": str(task_id)} if answer.status == 202:
            run.tasks[step.task] = (step.who, task_id)
        case _:
            raise NotDoneError(f"task {step.task!r} was not accepted: the answer was {answer.status}, expected 202")


async def _watch(run: _Run, step: Watch) -> None:
    who, task_id = run.task(step.task)
    tab = run.tab(step.tab).tab
    shows = _shows(task_id, step.until)
    for _ in range(max(1, round(step.deadline_s / WATCH_SLICE_S))):
        pushed = await tab.wait_message(shows, WATCH_SLICE_S)
        answer = await _call(run, who, "get_task", path={"id": task_id})
        # What was pushed while the tab was away is not replayed (contract §5g); then REST decides.
        if pushed or _status(answer) in step.until:
            return
    raise NotDoneError(f"task {step.task!r} was not {' or '.join(step.until)} within {step.deadline_s:g} s")


def _shows(task_id: str, statuses: Sequence[str]) -> Callable[[dict[str, Any]], bool]:
    def shows(message: dict[str, Any]) -> bool:
        data = message.get("data")
        return isinstance(data, dict) and data.get("task_id") == task_id and data.get("status") in statuses

    return shows


def _status(answer: Answered) -> str:
    status = answer.body.get("status") if isinstance(answer.body, dict) and answer.status == 200 else None
    return status if isinstance(status, str) else ""


async def _tend_agents(run: _Run, step: AgentStep) -> None:
    match step:
        case RegisterAgent():
            await _register(run, step)
        case ChangeAgent(who=who, agent=agent, changes=changes):
            await _call(run, who, "update_agent", path={"id": run.agent(agent)}, body=changes)
        case DeleteAgent(who=who, agent=agent):
            await _call(run, who, "delete_agent", path={"id": run.agent(agent)})
        case Deploy():
            await _deploy(run, step)
        case StopDeployment(who=who, deployment=name):
            if name not in run.deployments:
                raise NotDoneError(f"deployment {name!r} was never made")
            await _call(run, who, "stop_deployment", path={"id": run.deployments[name]})
        case _:
            assert_never(step)


async def _register(run: _Run, step: RegisterAgent) -> None:
    fields = (
        ("name", step.agent),
        ("capabilities", QUERY_CAPABILITY),
        ("pricing", f'{{"per_execution": {step.price}}}'),
    )
    binary = File("wasm_binary", BINARY, name="agent.wasm", kind="application/wasm")
    answer = await _call(run, step.who, "register_agent", form=Form(fields, binary))
    match answer.body:
        case {"agent_id": str(agent_id)} if answer.status == 201:
            run.agents[step.agent] = agent_id
            run.target.made(run.session(step.who), "delete_agent", agent_id)
        case _:
            raise NotDoneError(f"agent {step.agent!r} was not registered: {answer.status}, expected 201")


async def _deploy(run: _Run, step: Deploy) -> None:
    answer = await _call(run, step.who, "deploy", body={"agent_id": run.agent(step.agent)})
    match answer.body:
        case {"id": str(deployment_id)} if answer.status == 201:
            run.deployments[step.deployment] = deployment_id
            run.target.made(run.session(step.who), "stop_deployment", deployment_id)
        case _ if answer.status != 404:
            raise NotDoneError(f"deployment {step.deployment!r} was not made: {answer.status}, expected 201 or 404")
        case _:
            pass


async def _broadcast(run: _Run, text: str) -> None:
    admin = run.sessions.get(ADMIN) or await run.target.admin_session()
    if admin is None:
        raise NotDoneError("the target lends no admin, so nothing was broadcast")
    run.sessions[ADMIN] = admin
    body = {"type": "system", "data": {"message": text, "level": "info"}}
    answer = await _call(run, ADMIN, "ws_broadcast", body=body)
    if answer.status == 200:
        run.broadcasts.append(text)


async def _cut(run: _Run, name: str) -> None:
    tab = run.tab(name)
    fault: dict[str, Any] = {"name": "cut", "tab": name}
    run.target.recorder.record("fault", action="inject", **fault)
    run.faults.append(fault)
    await tab.tab.cut()


async def _enter(run: _Run, phase: str) -> None:
    if phase == "healed":
        await _heal(run)
    run.target.recorder.record("phase", name=phase)
    if phase == "quiet":
        await _settle(run)


async def _heal(run: _Run) -> None:
    """A cut heals when its client is back; only then are the faults over."""
    for name, tab in run.tabs.items():
        if not tab.left and not await tab.tab.wait_open(REOPEN_WITHIN_S):
            run.note(f"tab {name!r} did not come back within {REOPEN_WITHIN_S:g} s", step="Phase", lane="healed")
    for fault in run.faults:
        run.target.recorder.record("fault", action="heal", **fault)
    run.faults.clear()


async def _settle(run: _Run) -> None:
    """Wait until all tasks are finished and told, then read everything by list and by id, so it can be compared."""
    for name, (who, task_id) in run.tasks.items():
        if not await _wait_finished(run, who, task_id):
            run.note(f"task {name!r} was not finished {FINISH_WITHIN_S:g} s after all was quiet", step="Phase")
    await run.target.gather(run.target.sleep(SETTLE_MIN_S), *_owed(run))
    jobs: list[Coroutine[Any, Any, None]] = [_read_all(run, who) for who in run.sessions if who != ADMIN]
    await run.target.gather(*jobs)


def _owed(run: _Run) -> Iterable[Coroutine[Any, Any, Any]]:
    """Yield a wait for the end of each task, and for each broadcast, on each tab that is owed it."""
    for open_tab in (tab for tab in run.tabs.values() if not tab.left):
        for who, task_id in run.tasks.values():
            if who == open_tab.who:
                yield open_tab.tab.wait_message(_shows(task_id, tuple(FINAL)), SETTLE_S)
        for text in run.broadcasts:
            yield open_tab.tab.wait_message(partial(_says, text), SETTLE_S)


def _says(text: str, message: dict[str, Any]) -> bool:
    data = message.get("data")
    return isinstance(data, dict) and data.get("message") == text


async def _wait_finished(run: _Run, who: str, task_id: str) -> bool:
    for _ in range(round(FINISH_WITHIN_S / POLL_S)):
        answer = await run.session(who).call("get_task", path={"id": task_id})
        if _status(answer) in FINAL or answer.status == 404:
            return True
        await run.target.sleep(POLL_S)
    return False


async def _read_all(run: _Run, who: str) -> None:
    await run.session(who).call("list_tasks", query={"limit": str(limits.TASKS_LIMIT_MAX)})
    if run.agents:
        await run.session(who).call("list_agents", query={"limit": str(limits.AGENTS_LIMIT_MAX)})
        await run.session(who).call("list_deployments")
    for owner, task_id in run.tasks.values():
        if owner == who:
            await run.session(who).call("get_task", path={"id": task_id})
