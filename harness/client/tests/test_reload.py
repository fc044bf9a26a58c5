"""Claims on reloading that hold whatever comes: few loads, none too early, and no cause forgotten."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client import reload

FIRST_WITHIN_MS = 250
APART_MS = 1000


@dataclass
class Page:
    """Carries out the effects on virtual time and notes when loads start."""

    state: reload.ReloadState = field(default_factory=reload.ReloadState)
    now_ms: int = 0
    due_ms: int | None = None
    starts_ms: list[int] = field(default_factory=list)

    def take(self, event: reload.ReloadEvent) -> None:
        self.state, effects = reload.step(self.state, event)
        for effect in effects:
            match effect:
                case reload.Load():
                    self.starts_ms.append(self.now_ms)
                case reload.SetTimer(at_ms):
                    self.due_ms = at_ms

    def fire(self) -> None:
        assert self.due_ms is not None
        self.now_ms, self.due_ms = max(self.now_ms, self.due_ms), None
        self.take(reload.Due(self.now_ms))

    def pass_time(self, wait_ms: int) -> None:
        until_ms = self.now_ms + wait_ms
        while self.due_ms is not None and self.due_ms <= until_ms:
            self.fire()
        self.now_ms = until_ms

    def finish(self, retry_after: int | None) -> None:
        self.take(reload.Done(self.now_ms, retry_after))


STEPS = st.lists(
    st.tuples(st.sampled_from(("cause", "cause", "done", "refused")), st.integers(0, 3_000), st.integers(1, 5)),
    max_size=40,
)


@pytest.mark.property
@given(STEPS)
def test_loads_are_a_second_apart_and_no_cause_is_forgotten(steps: list[tuple[str, int, int]]) -> None:
    page, last_cause_ms = Page(), None
    for kind, wait_ms, retry_after in steps:
        page.pass_time(wait_ms)
        started = len(page.starts_ms)
        if kind == "cause":
            page.take(reload.Cause(page.now_ms))
            last_cause_ms = page.now_ms
        else:
            page.finish(retry_after if kind == "refused" else None)
        assert len(page.starts_ms) == started, "a load starts on the timer only"
    while page.due_ms is not None or page.state.in_flight:
        if page.state.in_flight:
            page.finish(None)
        else:
            page.fire()

    gaps = [later - earlier for earlier, later in zip(page.starts_ms, page.starts_ms[1:], strict=False)]
    assert all(gap >= APART_MS for gap in gaps)
    assert last_cause_ms is None or page.starts_ms[-1] >= last_cause_ms


@pytest.mark.property
@given(st.lists(st.integers(0, 400), max_size=20))
def test_the_first_load_follows_its_cause_at_once_however_many_come_with_it(waits_ms: list[int]) -> None:
    page = Page()
    page.take(reload.Cause(0))
    for wait_ms in waits_ms:
        page.pass_time(wait_ms)
        page.take(reload.Cause(page.now_ms))
    page.pass_time(FIRST_WITHIN_MS)
    assert page.starts_ms[0] <= FIRST_WITHIN_MS
    assert len(page.starts_ms) == 1


def test_a_refused_load_waits_as_long_as_it_was_told() -> None:
    page = Page()
    page.take(reload.Cause(0))
    page.fire()
    page.now_ms = 500
    page.finish(7)
    page.take(reload.Cause(600))
    page.fire()
    assert page.starts_ms == [100, 7_500]
