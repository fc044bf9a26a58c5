"""Memory is given back after connections left: once for all that left together, and again for later ones."""

from collections.abc import Callable

from reference_server.spare_memory import GIVE_BACK_AFTER_S, SpareMemory, trim


def test_memory_is_given_back_once_for_all_that_left_together() -> None:
    timers: list[tuple[float, Callable[[], None]]] = []
    given: list[str] = []
    memory = SpareMemory(lambda delay_s, fire: timers.append((delay_s, fire)), lambda: given.append("back"))
    for _ in range(3):
        memory.connection_left()

    ((delay_s, fire),) = timers
    assert delay_s == GIVE_BACK_AFTER_S
    assert given == []
    fire()
    assert given == ["back"]
    memory.connection_left()
    assert len(timers) == 2


def test_the_systems_own_call_can_be_made() -> None:
    trim()
