"""Whatever a target does, `harness verify --only rfc6455` ends in time, in words, with what happened in the record."""

import resource
from pathlib import Path

import pytest

from harness.records import read_record
from harness.verdicts import Status
from harness.verify.options import checked_options
from harness.verify.run import verify
from harness.verify.tests.hostile import BEHAVIOURS, hostile

RECORD_BYTES_MAX = 16 * 1024 * 1024
GROWTH_KIB_MAX = 256 * 1024
UNUSABLE = {
    "closes_at_once": "can't be used",
    "answers_200": "could not register",
    "endless_body": "could not register",
    "no_http": "what came is no answer of HTTP",
    "speaks_tls": "the connection ended before an answer came",
    "handshake_is_cut": "the connection ended before an answer came",
    "handshake_is_garbage": "what came is no answer of HTTP",
}
SLOWLY_UNUSABLE = {"says_nothing": "no answer within 10 s", "handshake_hangs": "no answer within 10 s"}
FLOODING = {"endless_frames": 1, "endless_pings": 2}
OVER_SIZE = ("endless_frame", "endless_fragments")


def run_on(name: str, folder: Path) -> int:
    """Verify a hostile target; return the exit code, and see that memory and record stayed small."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hostile(name) as where:
        code = verify(checked_options(target=f"http://{where}", only="rfc6455", seed=1, out=str(folder), quiet=True))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KIB_MAX
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in written if path.name == "defect.txt"]
    assert sum(path.stat().st_size for path in written) < RECORD_BYTES_MAX
    return code


@pytest.mark.parametrize(
    ("name", "told"),
    [*UNUSABLE.items(), *(pytest.param(*row, marks=pytest.mark.slow) for row in SLOWLY_UNUSABLE.items())],
)
def test_a_target_that_can_not_be_used_is_3_and_one_line(
    name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_on(name, tmp_path) == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("harness: ")
    assert told in line


@pytest.mark.parametrize(("name", "code"), FLOODING.items())
def test_a_socket_that_floods_is_judged_by_what_came(
    name: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_on(name, tmp_path) == code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", OVER_SIZE)
def test_a_message_that_is_too_large_to_be_read_is_a_violation(name: str, tmp_path: Path) -> None:
    assert run_on(name, tmp_path) == 1

    results = {result.id: result for result in read_record((tmp_path / "latest").resolve()).verdicts().results}
    assert {id_ for id_, result in results.items() if result.status is Status.VIOLATED} == {"RT-SCHEMA-1"}
    assert "bytes or more" in results["RT-SCHEMA-1"].why


def test_every_behaviour_is_tried() -> None:
    assert {*UNUSABLE, *SLOWLY_UNUSABLE, *FLOODING, *OVER_SIZE} == set(BEHAVIOURS)
