"""The runner: lanes at the same time, phases as barriers, and a note for what could not be done."""

import pytest
from hypothesis import HealthCheck, given, settings

from harness.history import Event
from harness.run import lanes, segments
from harness.simulate import history, judged, violations
from harness.strategies import variations
from scenarios.catalog import SCENARIOS
from scenarios.model import (
    AnyStep,
    Broadcast,
    Cancel,
    CloseTab,
    Cut,
    OpenTab,
    Phase,
    Scenario,
    SignUp,
    Sleep,
    Submit,
    Watch,
)


def scenario(*steps: AnyStep, seconds_max: float = 60.0) -> Scenario:
    return Scenario(name="tried", summary="tried", people=("ann",), steps=steps, seconds_max=seconds_max)


def notes(events: list[Event]) -> list[str]:
    return [event.data["why"] for event in events if event.kind == "note"]


def phases(events: list[Event]) -> list[str]:
    return [event.data["name"] for event in events if event.kind == "phase"]


def test_steps_are_cut_at_phases_and_sorted_into_lanes() -> None:
    one, two, three = Sleep(lane="a", seconds=1), Sleep(lane="b", seconds=2), Sleep(lane="a", seconds=3)

    assert segments([one, two, Phase(name="faults"), three]) == [([one, two], "faults"), ([three], None)]
    assert segments([one, Phase(name="quiet")]) == [([one], "quiet")]
    assert lanes([one, two, three]) == [[one, three], [two]]


def test_lanes_run_at_the_same_time_and_a_phase_waits_for_all() -> None:
    events = history(scenario(Sleep(lane="a", seconds=3), Sleep(lane="b", seconds=2), Phase(name="faults")), 1)

    at = {event.data["name"]: event.at_ns for event in events if event.kind == "phase"}
    assert at["faults"] - at["start"] == 3_000_000_000


def test_a_script_that_lost_its_phases_is_healed_and_quiet_at_its_end() -> None:
    assert phases(history(scenario(SignUp(who="ann")), 1)) == ["start", "healed", "quiet", "end"]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (SignUp(who="eve"), "nobody is called 'eve'; the run was given ann"),
        (OpenTab(who="eve", tab="t"), "'eve' is not signed in"),
        (Cut(tab="t"), "tab 't' was never opened"),
        (CloseTab(tab="t"), "tab 't' was never opened"),
        (Cancel(who="ann", task="x"), "task 'x' was never submitted"),
        (Watch(tab="t", task="x"), "task 'x' was never submitted"),
        (
            Submit(who="ann", task="x", query="x", budget=-1),
            "task 'x' was not accepted: the answer was 400, expected 202",
        ),
        (SignUp(who="ann"), "could not register 'ann': the answer was 409"),
    ],
)
def test_what_cannot_be_done_is_a_note_and_the_run_goes_on(step: AnyStep, why: str) -> None:
    events = history(scenario(SignUp(who="ann"), step, Submit(who="ann", task="y", query="y")), 1)

    (note,) = notes(events)
    assert note.startswith(why)
    assert phases(events)[-1] == "end"
    assert any(event.data.get("operation") == "submit_task" for event in events if event.kind == "invoke")


def test_a_lane_out_of_time_stops_with_a_note() -> None:
    events = history(scenario(Sleep(seconds=9), SignUp(who="ann"), seconds_max=5), 1)

    assert notes(events) == ["no time left: the scenario may take 5 s"]
    assert not [event for event in events if event.kind == "person"]


def test_a_cut_is_injected_and_heals_when_its_tab_is_back() -> None:
    events = history(scenario(SignUp(who="ann"), OpenTab(who="ann", tab="t"), Cut(tab="t"), Phase(name="healed")), 1)

    told = [(event.kind, event.data.get("action")) for event in events if event.kind in ("fault", "opened")]
    assert told == [("opened", None), ("fault", "inject"), ("opened", None), ("fault", "heal")]


def test_the_admin_s_broadcast_reaches_a_tab() -> None:
    events = history(scenario(SignUp(who="ann"), OpenTab(who="ann", tab="t"), Broadcast(text="to all")), 1)

    heard = [event.data["message"]["data"].get("message") for event in events if event.kind == "received"]
    assert "to all" in heard


@pytest.mark.property
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(varied=variations(SCENARIOS[0]))
def test_no_variation_accuses_the_honest_server(varied: Scenario) -> None:
    events = history(varied, 1)

    assert [(result.id, result.why) for result in violations(judged(events, 1))] == []
    assert notes(events) == []
