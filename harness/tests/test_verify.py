"""`harness verify` end to end: an honest server passes, a broken one is named, and every way out is orderly."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.checkers.base import RunFacts
from harness.commands import command
from harness.conformance.catalog import PARTS
from harness.history import Event, Recorder
from harness.judge import Scope
from harness.records import RunRecord, read_record
from harness.targets.base import Capabilities
from harness.targets.local import ServerProcess
from harness.verdicts import Status
from harness.verify.groups import group_sink, judge_groups, read_groups, recorder_name
from harness.verify.options import UsageError, checked_options, parts_of
from harness.verify.run import verify

RUN_S_MAX = 100
STEP_S_MAX = 40
SECRET_CHARS_MIN = 8
TOKEN_SHAPE = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")


def newest(folder: Path) -> Path:
    return (folder / "latest").resolve()


@pytest.fixture
def leaking() -> Iterator[str]:
    with ServerProcess(mutant="leaks_to_another_user", options=("--limits", "off")) as server:
        yield server.url


@pytest.mark.slow
def test_an_honest_server_passes_and_no_secret_stands_in_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[str] = set()
    mask = Recorder.mask

    def mask_and_tell(recorder: Recorder, secret: str) -> None:
        told.add(secret)
        mask(recorder, secret)

    monkeypatch.setattr(Recorder, "mask", mask_and_tell)
    options = checked_options(
        depth="smoke", only="rest,security,socket,scenario", seed=5, out=str(tmp_path), quiet=True
    )
    code = verify(options)

    record = read_record(newest(tmp_path))
    broken = [(result.id, result.why) for result in record.verdicts().results if result.status is not Status.HOLDS]
    assert broken == []
    assert code == 0
    assert record.info.complete
    secrets = [secret.encode() for secret in told if len(secret) >= SECRET_CHARS_MIN]
    assert len(secrets) > 5
    for path in (path for path in newest(tmp_path).rglob("*") if path.is_file()):
        text = path.read_bytes()
        assert not [secret for secret in secrets if secret in text], path.name
        assert not TOKEN_SHAPE.search(text), path.name


@pytest.mark.slow
def test_a_server_that_leaks_is_named_by_its_clause(
    tmp_path: Path, leaking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = checked_options(target=leaking, only="scenario", seed=5, out=str(tmp_path), quiet=True)

    assert verify(options) == 1
    out = capsys.readouterr().out
    assert "violated RT-ISOLATION-1" in out
    assert f"replay: {command('verify', '--target', leaking)}" in out
    assert "--seed 5" in out
    assert {"report.html", "junit.xml", "summary.md", "verdicts.json"} <= {p.name for p in newest(tmp_path).iterdir()}


@pytest.mark.slow
def test_sigterm_ends_the_children_and_keeps_the_record_as_incomplete(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness.cli", "verify", "--only", "rest,socket", "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ}) as run:  # fmt: skip
        url = _wait_for_server(tmp_path)
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=RUN_S_MAX)

    info = read_record(newest(tmp_path)).info
    assert (run.returncode, info.exit_code, info.complete) == (2, 2, False)
    assert b"interrupted" in err
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=5)


def _wait_for_server(folder: Path) -> str:
    until = time.monotonic() + STEP_S_MAX
    while time.monotonic() < until:
        for log in folder.glob("*/logs/main.log"):
            found = re.search(r"ready (\S+)", log.read_text())
            if found and (log.parents[1] / "history" / "client.jsonl").stat().st_size:
                return found.group(1)
        time.sleep(0.05)
    raise AssertionError("the server of the run was never ready")


@pytest.mark.parametrize(
    ("only", "expected"), [("", PARTS), ("socket,rest", ("rest", "socket")), (" load ", ("load",))]
)
def test_parts_stand_in_the_order_of_the_menu(only: str, expected: tuple[str, ...]) -> None:
    assert parts_of(only) == expected


def test_known_violations_of_unknown_clauses_are_refused(tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    known.write_text('known = [{clause = "NO-1", reason = "r", until = 2030-01-01}]')

    with pytest.raises(UsageError, match="no clause 'NO-1'"):
        checked_options(known=str(known))


def test_histories_of_two_servers_are_judged_apart_and_a_violation_in_one_counts(tmp_path: Path) -> None:
    record = RunRecord.create(what="test", seed=1, root=tmp_path)
    for group, status in (("main", 200), ("side", 418)):
        sink = group_sink(record.path, group, "client")
        name = recorder_name(group, "client")
        asked = {"operation": "health", "method": "GET", "path": "/health"}
        sink(Event(name, 0, 1, "invoke", op=1, case="REST-HEALTH-1/x", data={**asked, "expect": {"status": [200]}}))
        sink(Event(name, 1, 2, "ok", op=1, case="REST-HEALTH-1/x", data={"status": status, "body": {}}))
        sink.close()

    groups = read_groups(record.path)
    found = judge_groups(groups, RunFacts(), scope=Scope("standard", ("REST-HEALTH-1",)), capabilities=Capabilities())
    (result,) = found.results
    assert sorted(groups) == ["main", "side"]
    assert (result.status, result.checked) == (Status.VIOLATED, 2)
    assert result.violations[0].evidence[0].startswith("side/client#")


def test_what_the_virtual_users_measured_counts_beside_the_history_of_the_server_they_were_put_on(
    tmp_path: Path,
) -> None:
    record = RunRecord.create(what="test", seed=1, root=tmp_path)
    figures = {"unit": "ms", "count": 100, "p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.0, "fan_out": 1.0}
    workers = group_sink(record.path, "main", "worker-1")
    workers(Event("worker-1", 0, 1, "sample", data={"series": "connect", **figures}))
    workers.close()
    server = group_sink(record.path, "load", "client")
    server(Event(recorder_name("load", "client"), 0, 1, "phase", data={"name": "start"}))
    server.close()

    groups = read_groups(record.path)
    able = Capabilities(grants=frozenset({"accounts", "connections", "tasks"}))
    found = judge_groups(groups, RunFacts(), scope=Scope("standard", ("PERF-P1",)), capabilities=able)
    (result,) = found.results
    assert result.status is Status.HOLDS
    assert result.figures["p95"] == 2.0
