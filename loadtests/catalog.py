"""The scenarios of load, in a tuple: one that is not listed here does not exist."""

import difflib
from typing import Final

from loadtests.hello import HELLO
from loadtests.plan import LoadScenario

SCENARIOS: Final[tuple[LoadScenario, ...]] = (HELLO,)


def load_scenario(name: str) -> LoadScenario:
    """Return the scenario of that name; raises ValueError that suggests the nearest."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    names = [scenario.name for scenario in SCENARIOS]
    near = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(names)}"
    raise ValueError(f"unknown load scenario '{name}'; {advice}")
