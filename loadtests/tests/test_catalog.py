"""Scenarios of load stand in a tuple, and a wrong name is answered with the right one."""

from pathlib import Path

import pytest

import loadtests
from loadtests.catalog import SCENARIOS, load_scenario
from loadtests.plan import PLAN_VARIABLE, LoadScenario, Plan, encode_plan, plan_from
from loadtests.runner import run


def test_every_module_with_a_scenario_is_listed() -> None:
    folder = Path(loadtests.__file__).parent
    written = {path.stem for path in folder.glob("*.py") if "= LoadScenario(" in path.read_text(encoding="utf-8")}

    assert written == {scenario.name for scenario in SCENARIOS}


def test_names_are_unique() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize(("name", "said"), [("helo", "did you mean 'hello'"), ("zzz", "expected one of hello")])
def test_an_unknown_scenario_is_answered_with_what_there_is(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_scenario(name)


def test_a_plan_crosses_to_the_child_as_it_was() -> None:
    scenario = LoadScenario(name="n", summary="s", constraints={"simulate": {"outcome": "fail"}})
    plan = Plan(
        scenario=scenario, users=3, duration_s=1.5, target_url="http://h", run_dir="/r", run="x", seed=-4, fan_out=2
    )

    assert plan_from({PLAN_VARIABLE: encode_plan(plan)}) == plan


def test_a_child_without_a_plan_says_how_to_start_one() -> None:
    with pytest.raises(ValueError, match="harness load"):
        plan_from({})


@pytest.mark.parametrize(
    ("users", "duration_s", "url", "said"),
    [
        (0, 1, "http://127.0.0.1:1", "users 0, expected more than 0"),
        (1, 0, "http://127.0.0.1:1", "duration 0, expected more than 0"),
        (1, 1, "127.0.0.1:1", "expected the http or https URL"),
        (1, 1, "", "expected the http or https URL"),
    ],
)
def test_unusable_arguments_are_named_and_nothing_is_written(
    tmp_path: Path, users: int, duration_s: float, url: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        run("hello", users, duration_s, url, tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_a_target_that_does_not_answer_is_one_line_and_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unused_url: str
) -> None:
    assert run("hello", 1, 1, unused_url, tmp_path / "run") == 3

    assert "does not answer" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
