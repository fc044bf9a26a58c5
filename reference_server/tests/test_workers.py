"""Work off the loop: bounded, its outcome told on the loop, and nothing raised whatever becomes of it (law 11)."""

import asyncio
from collections.abc import Callable

import pytest

from reference_server.contract import limits
from reference_server.environment import OffloadFullError
from reference_server.environment_asyncio import AsyncioEnvironment
from reference_server.tests.virtual import SECRET

Act = Callable[[AsyncioEnvironment, Callable[[object], None]], int]


def outcomes(act: Act) -> list[object]:
    """Let `act` offload work and say how many outcomes it expects; return them in the order they came."""

    async def main() -> list[object]:
        environment = AsyncioEnvironment(asyncio.get_running_loop(), SECRET)
        told: asyncio.Queue[object] = asyncio.Queue()
        try:
            expected = act(environment, told.put_nowait)
            async with asyncio.timeout(10):
                return [await told.get() for _ in range(expected)]
        finally:
            environment.close()

    return asyncio.run(main())


def test_what_work_gives_or_raises_is_told() -> None:
    def act(environment: AsyncioEnvironment, tell: Callable[[object], None]) -> int:
        environment.offload(lambda: 1, tell, tell)
        environment.offload(lambda: 1 // 0, tell, tell)
        return 2

    assert sorted(type(outcome).__name__ for outcome in outcomes(act)) == ["ZeroDivisionError", "int"]


def test_work_over_the_bound_is_refused_and_the_rest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OFFLOAD_WAITING_MAX", 3)
    most = limits.OFFLOAD_THREADS_MAX + 3

    def act(environment: AsyncioEnvironment, tell: Callable[[object], None]) -> int:
        for _ in range(most + 2):
            environment.offload(lambda: "done", tell, tell)
        return most + 2

    came = outcomes(act)
    assert came.count("done") == most
    assert [type(outcome) for outcome in came if outcome != "done"] == [OffloadFullError] * 2


def test_work_that_comes_after_the_end_is_refused() -> None:
    def act(environment: AsyncioEnvironment, tell: Callable[[object], None]) -> int:
        environment.close()
        environment.offload(lambda: "done", tell, tell)
        return 1

    assert [type(outcome) for outcome in outcomes(act)] == [RuntimeError]
