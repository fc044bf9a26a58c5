"""Variations of a scenario: other waits, more tasks, more cuts; drawn by a seed or by Hypothesis.

One function makes them from a source of whole numbers, so that both explore the same space. What comes out is a plain
scenario: it can be saved, shrunk and replayed without this module.
"""

import random
from collections.abc import Callable
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from scenarios.model import AnyStep, Cancel, Cut, OpenTab, Phase, Scenario, Sleep, Submit, Watch

Pick = Callable[[int, int], int]
"""Gives a whole number between two bounds, both included."""

MORE_TASKS_MAX: Final = 3
MORE_CUTS_MAX: Final = 3
TROUBLE: Final = "more-trouble"
OUTCOMES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"fail_times": 1},
    {"outcome": "fail"},
    {"outcome": "hang"},
    {"outcome": "complete", "duration_ms": 700},
)
PRIORITIES: Final = ("low", "normal", "high", "critical")


def seeded(scenario: Scenario, seed: int) -> Scenario:
    """Return the variation of that seed; 0 is the scenario as it is written."""
    return varied(scenario, random.Random(seed).randint) if seed else scenario


@st.composite
def variations(draw: st.DrawFn, scenario: Scenario) -> Scenario:
    """Draw a variation; small ones are near the scenario as it is written."""
    return varied(scenario, lambda low, high: draw(st.integers(low, high)))


def varied(scenario: Scenario, pick: Pick) -> Scenario:
    """Return the scenario with other waits and with more tasks and cuts while faults strike."""
    steps = [_waited(step, pick) for step in scenario.steps]
    tabs = [step for step in steps if isinstance(step, OpenTab)]
    if not tabs:
        return msgspec.structs.replace(scenario, steps=tuple(steps))
    more = [*_more_tasks(tabs, pick), *_more_cuts(tabs, pick)]
    at = _before_healing(steps)
    return msgspec.structs.replace(scenario, steps=(*steps[:at], *more, *steps[at:]))


def _waited(step: AnyStep, pick: Pick) -> AnyStep:
    if isinstance(step, Sleep):
        waited: AnyStep = msgspec.structs.replace(step, seconds=step.seconds * pick(0, 20) / 10)
        return waited
    return step


def _before_healing(steps: list[AnyStep]) -> int:
    healed = (index for index, step in enumerate(steps) if isinstance(step, Phase) and step.name != "faults")
    return next(healed, len(steps))


def _more_tasks(tabs: list[OpenTab], pick: Pick) -> list[AnyStep]:
    found: list[AnyStep] = []
    for number in range(pick(0, MORE_TASKS_MAX)):
        tab = tabs[pick(0, len(tabs) - 1)]
        task, lane = f"m{number}", f"more-{number}"
        found.append(Sleep(lane=lane, seconds=pick(0, 30) / 10))
        found.append(
            Submit(
                lane=lane,
                who=tab.who,
                task=task,
                query="one more",
                priority=PRIORITIES[pick(0, len(PRIORITIES) - 1)],
                timeout_s=float(pick(1, 5)),
                simulate=OUTCOMES[pick(0, len(OUTCOMES) - 1)],
            )
        )
        if pick(0, 2) == 0:
            found += [Sleep(lane=lane, seconds=pick(0, 10) / 10), Cancel(lane=lane, who=tab.who, task=task)]
        found.append(Watch(lane=lane, tab=tab.tab, task=task, deadline_s=30.0))
    return found


def _more_cuts(tabs: list[OpenTab], pick: Pick) -> list[AnyStep]:
    found: list[AnyStep] = []
    for _ in range(pick(0, MORE_CUTS_MAX)):
        found.append(Sleep(lane=TROUBLE, seconds=pick(0, 30) / 10))
        found.append(Cut(lane=TROUBLE, tab=tabs[pick(0, len(tabs) - 1)].tab))
    return found
