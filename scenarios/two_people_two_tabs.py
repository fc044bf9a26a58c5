"""Two people with two tabs each submit, watch and cancel tasks while a connection is cut.

Each person works in a lane of their own, so that pushes of both cross on the wire; the cuts come from a third lane.
"""

from typing import Final

from scenarios.model import Cancel, Cut, OpenTab, Phase, Read, Scenario, SignUp, Sleep, Submit, Watch

SCENARIO: Final = Scenario(
    name="two_people_two_tabs",
    summary="two people with two tabs each submit, watch and cancel tasks while a connection is cut",
    people=("ann", "ben"),
    steps=(
        SignUp(lane="ann", who="ann"),
        OpenTab(lane="ann", who="ann", tab="ann-desk"),
        OpenTab(lane="ann", who="ann", tab="ann-phone"),
        SignUp(lane="ben", who="ben"),
        OpenTab(lane="ben", who="ben", tab="ben-desk"),
        OpenTab(lane="ben", who="ben", tab="ben-phone"),
        Phase(name="faults"),
        Submit(lane="ann", who="ann", task="a1", query="sum up the week"),
        Watch(lane="ann", tab="ann-desk", task="a1"),
        Submit(lane="ann", who="ann", task="a2", query="fail once, then do", simulate={"fail_times": 1}),
        Submit(lane="ann", who="ann", task="a3", query="never end", simulate={"outcome": "hang"}),
        Sleep(lane="ann", seconds=0.4, drawn=True),
        Cancel(lane="ann", who="ann", task="a3"),
        Cancel(lane="ann", who="ann", task="a3"),
        Watch(lane="ann", tab="ann-desk", task="a2"),
        Cancel(lane="ann", who="ann", task="a2"),
        Read(lane="ann", who="ann"),
        Submit(lane="ben", who="ben", task="b1", query="draw a map", priority="high"),
        Submit(lane="ben", who="ben", task="b2", query="too dear for anyone", budget=0.001),
        Watch(lane="ben", tab="ben-phone", task="b2"),
        Submit(lane="ben", who="ben", task="b3", query="cut short", timeout_s=1, simulate={"outcome": "hang"}),
        Sleep(lane="ben", seconds=0.3, drawn=True),
        Cancel(lane="ben", who="ben", task="b1"),
        Watch(lane="ben", tab="ben-desk", task="b3"),
        Read(lane="ben", who="ben", task="b1"),
        Sleep(lane="trouble", seconds=0.5, drawn=True),
        Cut(lane="trouble", tab="ann-phone"),
        Sleep(lane="trouble", seconds=1.5, drawn=True),
        Cut(lane="trouble", tab="ben-desk"),
        Phase(name="healed"),
        Submit(lane="ann", who="ann", task="a4", query="after the storm"),
        Watch(lane="ann", tab="ann-desk", task="a4"),
        Submit(lane="ben", who="ben", task="b4", query="all is well"),
        Watch(lane="ben", tab="ben-phone", task="b4"),
        Phase(name="quiet"),
    ),
    seconds_max=90.0,
)
