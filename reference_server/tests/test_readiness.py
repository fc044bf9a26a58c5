"""`GET /ready` on virtual time: what makes it 503, and how seldom anybody can make it write (contract §1 service)."""

import pytest

from reference_server.contract import limits
from reference_server.core.answers import Answer
from reference_server.core.calls import Admitted, Head
from reference_server.core.units import SECOND_NS
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.store.base import StoreError
from reference_server.store.memory import MemoryStore
from reference_server.tests.blobs import TroubledBlobs
from reference_server.tests.virtual import VirtualEnvironment, VirtualSockets

STUCK_MS = 60_000
FULL = StoreError("the disk is full")


class CheckedStore(MemoryStore):
    """A store that counts its checks, and can be out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.checks = 0
        self.fault: Exception | None = None

    def check(self) -> None:
        self.checks += 1
        if self.fault is not None:
            raise self.fault
        super().check()


class World:
    """A driver that has started, over a store and blobs that can be broken."""

    def __init__(self) -> None:
        self.environment = VirtualEnvironment()
        self.store = CheckedStore()
        self.blobs = TroubledBlobs()
        self.driver = Driver(self.environment, self.store, VirtualSockets(), Options(), blobs=self.blobs)
        self.driver.start(lambda: None)
        self.environment.run()
        self.store.checks = self.blobs.checks = 0

    def ask(self) -> list[Answer]:
        answers: list[Answer] = []

        def admitted(outcome: Admitted | Answer) -> None:
            assert isinstance(outcome, Admitted)
            self.driver.handle(outcome, b"", answers.append)

        self.driver.admit(Head("GET", "/ready", "", {}, "192.0.2.1"), admitted)
        return answers

    def status(self) -> int:
        answers = self.ask()
        self.environment.run()
        (answer,) = answers
        return answer.status

    def wait(self, seconds: float) -> None:
        self.environment.run_to(self.environment.now_ns / SECOND_NS + seconds)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(("part", "status"), [(None, 200), ("store", 503), ("blobs", 503)])
def test_a_part_that_can_not_be_used_is_503(world: World, part: str | None, status: int) -> None:
    world.store.fault = FULL if part == "store" else None
    world.blobs.broken = part == "blobs"

    assert world.status() == status


def test_a_server_that_ends_is_not_ready_at_once(world: World) -> None:
    assert world.status() == 200
    world.driver.shutdown(lambda: None)

    assert world.status() == 503


@pytest.mark.parametrize("broken", [False, True])
def test_however_often_it_is_asked_within_a_second_the_parts_are_checked_once(world: World, broken: bool) -> None:
    world.blobs.broken = broken
    for _ in range(100):
        world.status()

    assert (world.store.checks, world.blobs.checks) == (1, 1)


def test_an_outcome_is_told_no_longer_than_its_second(world: World) -> None:
    assert world.status() == 200
    world.store.fault = FULL
    world.wait(limits.READY_KEPT_S)
    assert world.status() == 503
    world.store.fault = None
    world.wait(limits.READY_KEPT_S)

    assert world.status() == 200


def test_blobs_that_do_not_answer_are_not_ready_and_are_asked_once(world: World) -> None:
    world.environment.offload_ms = STUCK_MS
    first, second = world.ask(), world.ask()
    world.wait(limits.BLOB_CHECK_S_MAX)
    third = world.ask()
    world.wait(limits.READY_KEPT_S)
    fourth = world.ask()

    assert [answer.status for answers in (first, second, third, fourth) for answer in answers] == [503] * 4
    world.wait(STUCK_MS / 1000)
    assert world.blobs.checks == 1
    world.environment.offload_ms = 0
    assert world.status() == 200


def test_a_check_that_fails_as_nobody_foresaw_is_500_and_the_next_one_is_made(world: World) -> None:
    world.store.fault = ZeroDivisionError()
    assert world.status() == 500
    world.store.fault = None

    assert world.status() == 200
