"""A correct server that is given by its URL, with the limits of the contract, is accused of nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.records import read_record
from harness.targets.local import FAST_TASKS, ServerProcess
from harness.verdicts import Status
from harness.verify.options import checked_options
from harness.verify.run import verify

RATES = {"SEC-RATE-1", "SEC-RATE-2"}


@pytest.fixture
def honest() -> Iterator[str]:
    server = ServerProcess(options=FAST_TASKS)
    try:
        server.start()
        yield server.url
    finally:
        server.end()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_honest_server_given_by_its_url_is_accused_of_nothing(tmp_path: Path, honest: str) -> None:
    options = checked_options(
        target=honest, only="rest,security,socket,scenario", seed=5, out=str(tmp_path), quiet=True
    )
    verify(options)

    results = read_record((tmp_path / "latest").resolve()).verdicts().results
    assert [(result.id, result.why) for result in results if result.status is Status.VIOLATED] == []
    told = {result.id: (result.status, result.why) for result in results if result.id in RATES}
    assert {status for status, _ in told.values()} <= {Status.HOLDS, Status.UNKNOWN}
    assert all("too slow to exceed" in why for status, why in told.values() if status is Status.UNKNOWN), told
