"""Tables for how a client comes back, and when it stays away."""

import pytest

from harness.checkers.backoff import BACKOFF, BUDGET, GIVE_UP, LOST, STOP, Backoff
from harness.checkers.tests.histories import History, status
from harness.verdicts import Status

DELAYS_MS = (1000, 2000, 4000, 8000, 16_000)


def failing(*delays_ms: int, kind: str = "connecting", gone_for_ms: int = 0) -> History:
    """A tab that loses its first connection at once and fails every attempt."""
    history = History()
    history.add(kind, 0, connection="t.1", tab="t").add("opened", connection="t.1")  # type: ignore[arg-type]
    history.add("closed", 100, connection="t.1", code=1006, by="peer")
    now_ms = 100
    for number, delay_ms in enumerate(delays_ms, start=2):
        now_ms += delay_ms
        history.add(kind, now_ms, connection=f"t.{number}", tab="t")  # type: ignore[arg-type]
        history.add("closed", now_ms, connection=f"t.{number}", code=1006, by="peer")
    if gone_for_ms:
        history.add("note", now_ms + gone_for_ms)
    return history


@pytest.mark.parametrize(
    ("delays_ms", "expected"),
    [
        (DELAYS_MS, Status.HOLDS),
        ((1100, 2200, 4400, 8800, 17_600), Status.HOLDS),
        ((900,), Status.VIOLATED),
        ((1000, 1000), Status.VIOLATED),
        ((1000, 5000), Status.VIOLATED),
        ((*DELAYS_MS, 30_000), Status.VIOLATED),
        ((), Status.UNKNOWN),
    ],
)
def test_attempts_follow_the_schedule(delays_ms: tuple[int, ...], expected: Status) -> None:
    assert status(Backoff(), failing(*delays_ms), BACKOFF) is expected


def test_the_schedule_begins_anew_after_a_settled_connection() -> None:
    history = History().connect("t.1", tab="t").add("closed", 6000, connection="t.1", code=1006, by="peer")
    history.connect("t.2", tab="t", at_ms=7000).add("closed", 13_000, connection="t.2", code=1006, by="peer")
    assert status(Backoff(), history.add("connecting", 14_000, connection="t.3", tab="t"), BACKOFF) is Status.HOLDS


def test_constructors_of_a_browser_are_the_budget_too() -> None:
    assert status(Backoff(), failing(*DELAYS_MS, kind="construct"), BUDGET) is Status.HOLDS
    assert status(Backoff(), failing(*DELAYS_MS), BUDGET) is Status.UNKNOWN


def test_giving_up_is_told_by_the_toast() -> None:
    def page(text: str, gone_for_ms: int) -> History:
        history = failing(*DELAYS_MS, kind="construct")
        return history.add("toast", connection="t", level="error", text=text).add("note", 31_100 + gone_for_ms)

    assert status(Backoff(), page(LOST, 30_000), GIVE_UP) is Status.HOLDS
    assert status(Backoff(), page("Oh", 30_000), GIVE_UP) is Status.VIOLATED
    assert status(Backoff(), page(LOST, 10), GIVE_UP) is Status.UNKNOWN


@pytest.mark.parametrize(("code", "by"), [(4401, "peer"), (4409, "peer"), (1008, "peer"), (1000, "self")])
def test_some_endings_forbid_coming_back(code: int, by: str) -> None:
    def ended() -> History:
        return History().connect("t.1", tab="t").add("closed", 500, connection="t.1", code=code, by=by)

    assert status(Backoff(), ended().add("connecting", 1500, connection="t.2", tab="t"), STOP) is Status.VIOLATED
    assert status(Backoff(), ended().add("note", 4000), STOP) is Status.HOLDS
    assert status(Backoff(), ended(), STOP) is Status.UNKNOWN


def test_a_429_is_not_counted() -> None:
    history = History().add("connecting", 0, connection="t.1", tab="t")
    history.add("refused", 10, connection="t.1", status=429).add("connecting", 9000, connection="t.2", tab="t")
    assert status(Backoff(), history, BACKOFF) is Status.UNKNOWN
