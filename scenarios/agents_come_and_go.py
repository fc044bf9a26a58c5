"""Agents are registered, change, pause and go while tasks that only they can take run on them, and connections are cut.

Their prices lie below every seeded agent's and so do the budgets, so that each departure moves a task, or fails it when
nobody is left. Two people deploy them meanwhile.
"""

from typing import Final

from scenarios.model import (
    Cancel,
    ChangeAgent,
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

CHEAP: Final = 0.004
BUDGET: Final = 0.006

SCENARIO: Final = Scenario(
    name="agents_come_and_go",
    summary="agents come, pause, change and go under the tasks that they run, while connections are cut",
    people=("olga", "pat"),
    steps=(
        SignUp(lane="olga", who="olga"),
        OpenTab(lane="olga", who="olga", tab="olga-desk"),
        RegisterAgent(lane="olga", who="olga", agent="mender", price=CHEAP),
        RegisterAgent(lane="olga", who="olga", agent="spare", price=BUDGET),
        SignUp(lane="pat", who="pat"),
        OpenTab(lane="pat", who="pat", tab="pat-desk"),
        OpenTab(lane="pat", who="pat", tab="pat-phone"),
        Phase(name="faults"),
        Deploy(lane="olga", who="olga", agent="mender", deployment="o1"),
        Sleep(lane="olga", seconds=0.6, drawn=True),
        ChangeAgent(lane="olga", who="olga", agent="mender", changes={"status": "inactive"}),
        Sleep(lane="olga", seconds=0.6, drawn=True),
        ChangeAgent(lane="olga", who="olga", agent="spare", changes={"name": "Spare no more", "price": CHEAP}),
        ChangeAgent(lane="olga", who="olga", agent="mender", changes={"status": "active", "price": 5}),
        Sleep(lane="olga", seconds=0.6, drawn=True),
        ChangeAgent(lane="olga", who="olga", agent="mender", changes={"price": CHEAP}),
        DeleteAgent(lane="olga", who="olga", agent="spare"),
        StopDeployment(lane="olga", who="olga", deployment="o1"),
        StopDeployment(lane="olga", who="olga", deployment="o1"),
        Sleep(lane="olga", seconds=0.6, drawn=True),
        DeleteAgent(lane="olga", who="olga", agent="mender"),
        Submit(lane="pat", who="pat", task="p1", query="mend", budget=BUDGET, simulate={"duration_ms": 900}),
        Submit(lane="pat", who="pat", task="p2", query="try twice", budget=BUDGET, simulate={"fail_times": 1}),
        Deploy(lane="pat", who="pat", agent="spare", deployment="d1"),
        Sleep(lane="pat", seconds=0.4, drawn=True),
        Submit(lane="pat", who="pat", task="p3", query="never end", budget=BUDGET, simulate={"outcome": "hang"}),
        Submit(
            lane="pat", who="pat", task="p4", query="mend", budget=BUDGET, timeout_s=1, simulate={"outcome": "hang"}
        ),
        Watch(lane="pat", tab="pat-desk", task="p1"),
        Cancel(lane="pat", who="pat", task="p3"),
        Deploy(lane="pat", who="pat", agent="mender", deployment="d2"),
        Watch(lane="pat", tab="pat-phone", task="p4"),
        Read(lane="pat", who="pat", task="p2"),
        Sleep(lane="trouble", seconds=0.8, drawn=True),
        Cut(lane="trouble", tab="pat-phone"),
        Sleep(lane="trouble", seconds=1.0, drawn=True),
        Cut(lane="trouble", tab="olga-desk"),
        Phase(name="healed"),
        RegisterAgent(lane="olga", who="olga", agent="heir", price=CHEAP),
        Submit(lane="olga", who="olga", task="o9", query="after the storm", budget=BUDGET),
        Watch(lane="olga", tab="olga-desk", task="o9"),
        DeleteAgent(lane="olga", who="olga", agent="heir"),
        Submit(lane="pat", who="pat", task="p9", query="all is well"),
        Watch(lane="pat", tab="pat-desk", task="p9"),
        Phase(name="quiet"),
    ),
    seconds_max=90.0,
    grants=("accounts", "tasks", "agents", "deployments"),
)
