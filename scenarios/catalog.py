"""Every scenario there is, as one tuple; a test finds the forgotten one."""

from typing import Final

from scenarios.agents_come_and_go import SCENARIO as AGENTS_COME_AND_GO
from scenarios.model import Scenario
from scenarios.two_people_two_tabs import SCENARIO as TWO_PEOPLE_TWO_TABS

SCENARIOS: Final[tuple[Scenario, ...]] = (TWO_PEOPLE_TWO_TABS, AGENTS_COME_AND_GO)
BY_NAME: Final[dict[str, Scenario]] = {scenario.name: scenario for scenario in SCENARIOS}
