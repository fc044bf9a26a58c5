"""Virtual time runs everything in one order, jumps over waits, and says what went wrong."""

import pytest

from harness.simulation.scheduler import NS_PER_S, DeadlockError, Promise, Scheduler, StepLimitError


def test_callbacks_run_by_time_then_by_the_order_they_were_asked_for() -> None:
    scheduler, ran = Scheduler(), list[str]()
    scheduler.call_at(2, lambda: ran.append("late"))
    scheduler.call_at(1, lambda: ran.append("first"))
    scheduler.call_at(1, lambda: ran.append("second"))

    scheduler.run_until(2)

    assert ran == ["first", "second", "late"]


def test_a_canceled_timer_does_not_run() -> None:
    scheduler, ran = Scheduler(), list[int]()
    timer = scheduler.call_at(1, lambda: ran.append(1))
    timer.cancel()

    scheduler.run_until(5)

    assert (ran, scheduler.now_ns) == ([], 5)


def test_a_day_of_sleep_takes_one_step_of_virtual_time() -> None:
    scheduler = Scheduler()

    scheduler.run(scheduler.sleep(86_400))

    assert scheduler.now_ns == 86_400 * NS_PER_S
    assert scheduler.steps < 10


def test_gathered_jobs_run_side_by_side() -> None:
    scheduler, ran = Scheduler(), list[str]()

    async def job(name: str, seconds: float) -> None:
        ran.append(f"{name} starts")
        await scheduler.sleep(seconds)
        ran.append(f"{name} ends")

    scheduler.run(scheduler.gather(job("a", 2), job("b", 1)))

    assert ran == ["a starts", "b starts", "b ends", "a ends"]
    assert scheduler.now_ns == 2 * NS_PER_S


def test_gather_waits_for_all_before_it_raises() -> None:
    scheduler, ran = Scheduler(), list[str]()

    async def fails() -> None:
        raise ValueError("no")

    async def works() -> None:
        await scheduler.sleep(1)
        ran.append("done")

    with pytest.raises(ValueError, match="no"):
        scheduler.run(scheduler.gather(fails(), works()))
    assert ran == ["done"]


def test_waiting_for_what_never_comes_is_a_deadlock_in_words() -> None:
    scheduler = Scheduler()

    async def waits() -> None:
        never: Promise[None] = Promise()
        await never

    with pytest.raises(DeadlockError, match=r"1 coroutines wait and nothing is due"):
        scheduler.run(waits())


def test_going_round_without_end_is_stopped() -> None:
    scheduler = Scheduler(steps_max=100)

    def again() -> None:
        scheduler.call_soon(again)

    again()

    with pytest.raises(StepLimitError, match="step limit: 101 steps"):
        scheduler.run(scheduler.sleep(1))


def test_a_condition_ends_at_its_deadline_or_when_it_holds() -> None:
    scheduler = Scheduler()
    condition, held = scheduler.condition(), list[bool]()

    async def waits(deadline_s: float) -> None:
        held.append(await condition.wait(lambda: scheduler.now_ns >= 2 * NS_PER_S, deadline_s))

    scheduler.call_at(2 * NS_PER_S, condition.notify)
    scheduler.run(scheduler.gather(waits(1), waits(5)))

    assert held == [False, True]
    assert scheduler.now_ns == 2 * NS_PER_S
