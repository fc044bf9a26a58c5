"""The catalog lists every scenario, and each is whole: nobody is named who is not there."""

from pathlib import Path

import msgspec
import pytest

from scenarios.catalog import SCENARIOS
from scenarios.model import (
    AgentStep,
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
    Script,
    SignUp,
    StopDeployment,
    Submit,
    Watch,
    decode_script,
    encode_script,
)
from scenarios.regressions import saved_scripts

NO_SCENARIOS = {"__init__", "catalog", "model"}


def agents_used(scenario: Scenario) -> tuple[set[str], set[str], set[str]]:
    """Give the people, agents and deployments that steps about agents speak of."""
    people, agents, deployments = set[str](), set[str](), set[str]()
    for step in scenario.steps:
        match step:
            case RegisterAgent(who=who) | ChangeAgent(who=who) | DeleteAgent(who=who) | Deploy(who=who):
                people.add(who)
                agents.add(step.agent)
            case StopDeployment(who=who, deployment=deployment):
                people.add(who)
                deployments.add(deployment)
            case _:
                pass
    return people, agents, deployments


def names_used(scenario: Scenario) -> tuple[set[str], set[str], set[str]]:
    """Give the people, tabs and tasks that steps speak of."""
    people, tabs, tasks = set[str](), set[str](), set[str]()
    for step in scenario.steps:
        match step:
            case SignUp(who=who) | OpenTab(who=who):
                people.add(who)
            case Submit(who=who) | Cancel(who=who, task=_) | Read(who=who, task=_):
                people.add(who)
                if not isinstance(step, Submit) and step.task:
                    tasks.add(step.task)
            case Watch(tab=tab, task=task):
                tabs.add(tab)
                tasks.add(task)
            case Cut(tab=tab) | CloseTab(tab=tab):
                tabs.add(tab)
            case _:
                assert isinstance(step, Phase | Broadcast | AgentStep) or step.lane
    return people, tabs, tasks


def test_every_scenario_file_stands_in_the_catalog() -> None:
    folder = Path(__file__).parents[1]
    files = {path.stem for path in folder.glob("*.py")} - NO_SCENARIOS

    assert files == {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_speaks_only_of_who_and_what_is_there(scenario: Scenario) -> None:
    people, tabs, tasks = names_used(scenario)

    assert people == set(scenario.people)
    assert tabs <= {step.tab for step in scenario.steps if isinstance(step, OpenTab)}
    assert tasks <= {step.task for step in scenario.steps if isinstance(step, Submit)}
    owners, agents, deployments = agents_used(scenario)
    assert owners <= people
    assert agents <= {step.agent for step in scenario.steps if isinstance(step, RegisterAgent)}
    assert deployments <= {step.deployment for step in scenario.steps if isinstance(step, Deploy)}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_survives_the_way_through_a_script(scenario: Scenario) -> None:
    script = Script(scenario=scenario, seed=7, clause="RT-PREFIX-1")

    assert decode_script(encode_script(script)) == script


def test_a_script_of_an_unknown_step_is_refused_by_name() -> None:
    text = encode_script(Script(scenario=SCENARIOS[0], seed=1, clause="X")).replace(b'"sign_up"', b'"sing_up"')

    with pytest.raises(msgspec.ValidationError, match="sing_up"):
        decode_script(text)


def test_saved_scripts_are_found_by_their_names_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    script = Script(scenario=SCENARIOS[0], seed=1, clause="RT-PREFIX-1")
    (tmp_path / "rt-prefix-1-gap.json").write_bytes(encode_script(script))
    assert saved_scripts(tmp_path) == {"rt-prefix-1-gap": script}

    (tmp_path / "broken.json").write_bytes(b"{}")
    with pytest.raises(msgspec.ValidationError, match="scenario"):
        saved_scripts(tmp_path)
