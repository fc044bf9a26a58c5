"""Locust for real, in a child process: importable after gevent's patching, and every push accounted for."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import pytest

from loadtests.recording import CONNECT, DELIVERY, LOOP_LAG, SUBMIT, read_samples
from loadtests.runner import EXIT_VOID, LOCUST_LOG, SUMMARY, LoadSummary, run
from reference_server.contract.limits import RATE_PER_MINUTE_ADDRESS

MODULES = ("plan", "catalog", "hello", "histogram", "ledger", "recording", "transport", "validity", "runner", "crew")


def test_everything_is_importable_after_the_patching_and_brings_no_asyncio_shell() -> None:
    imports = "; ".join(f"import loadtests.{name}" for name in MODULES)
    program = (
        f"from gevent import monkey; monkey.patch_all(); {imports}; import sys; "
        "print([name for name in sys.modules if name.startswith('harness.client')])"
    )

    told = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)

    assert (told.returncode, told.stdout.strip()) == (0, "[]"), told.stderr


def test_only_users_and_locustfile_import_locust() -> None:
    folder = Path(__file__).parents[1]
    found = {path.stem for path in folder.glob("*.py") if "locust import" in path.read_text(encoding="utf-8")}

    assert found == {"users"}


@pytest.mark.slow
def test_five_users_are_owed_what_they_read(tmp_path: Path, server_url: str) -> None:
    code = run("hello", 5, 2, server_url, tmp_path, quiet=True)

    summary = msgspec.json.decode((tmp_path / SUMMARY).read_bytes(), type=LoadSummary)
    ledger = summary.ledger
    assert (ledger.submitted, ledger.expected, ledger.received) == (10, 30, 30), (summary, _log(tmp_path))
    assert (ledger.lost, ledger.doubled, ledger.foreign, ledger.undecided) == (0, 0, 0, 0)
    assert summary.server is not None
    assert (summary.server.messages_sent, summary.server.connections) == (ledger.frames, 5)
    # Ten values have no p99: the run says so, and does not pass for a measurement.
    assert code == EXIT_VOID
    assert any("10 values of delivery, expected 100 or more" in why for why in summary.void)


@pytest.mark.slow
def test_a_run_leaves_samples_and_no_secret(tmp_path: Path, server_url: str) -> None:
    run("hello", 3, 1, server_url, tmp_path, quiet=True)

    (sample,) = read_samples(tmp_path)
    assert {CONNECT, DELIVERY, LOOP_LAG, SUBMIT} <= {series.name for series in sample.series}
    assert (sample.users_asked, sample.users_ready, sample.faults) == (3, 3, {})
    events = [json.loads(line) for line in (tmp_path / "history" / "worker-1.jsonl").read_text().splitlines()]
    told = {event["data"]["series"] for event in events if event["kind"] == "sample"}
    assert told == {"ledger"}, "a void run is judged by its ledger, not by its figures"
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".db")
    assert b"eyJ" not in written, "a token stands in the record"


@pytest.mark.slow
def test_users_who_are_told_to_wait_wait_and_are_ready_then(tmp_path: Path, limited_url: str) -> None:
    for _ in range(RATE_PER_MINUTE_ADDRESS):
        _status(limited_url, "/api/v1/users/me")
    assert _status(limited_url, "/api/v1/users/me") == 429

    run("hello", 3, 1, limited_url, tmp_path, exclusive=False, quiet=True)

    (sample,) = read_samples(tmp_path)
    assert (sample.users_ready, sample.faults) == (3, {}), _log(tmp_path)


def _status(url: str, path: str) -> int:
    try:
        with urllib.request.urlopen(url + path) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def _log(run_dir: Path) -> str:
    return (run_dir / LOCUST_LOG).read_text(encoding="utf-8")
