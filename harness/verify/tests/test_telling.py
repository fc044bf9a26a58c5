"""What a record tells of losses, replays and rules, however it is read: verdicts, exit code, gate, report, JUnit."""

from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.commands import command
from harness.conformance.catalog import LOAD
from harness.history import Event
from harness.judge import Known
from harness.records import RunRecord, read_record
from harness.targets.base import Capabilities
from harness.targets.profiles import read_profile
from harness.verdicts import Status
from harness.verify.basis import Basis, code_of, judged, judged_again, kept
from harness.verify.groups import TIMED, group_sink
from harness.verify.options import checked_options
from harness.verify.outside import (
    OutsideError,
    _pytest_command,
    browser_choice,
    left_by_load,
    note_of,
    short_load,
    step_of,
)
from harness.verify.progress import PLAIN_S, Progress
from harness.verify.run import reports_of, verify
from harness.verify.simulated import simulated_histories
from scenarios.model import decode_script


def gated(record: Path) -> int:
    from reports.gate import gate

    return gate(record)[0]


def ledger_record(folder: Path, **sums: int) -> RunRecord:
    """A record whose load counted these sums, and was too busy to measure."""
    record = RunRecord.create(what="test", seed=1, root=folder, target="local")
    workers = group_sink(record.path, "main", "worker-1")
    told = {"series": "ledger", "expected": 30, "received": 30, "lost": 0, "doubled": 0, "foreign": 0, **sums}
    workers(Event("worker-1", 0, 1, "sample", account="zsh-u1x0", data=told))
    workers.close()
    return record


@pytest.mark.parametrize(
    ("sums", "clause"),
    [
        ({"received": 29, "lost": 1}, "RT-PUSH-1"),
        ({"received": 29, "doubled": 1}, "RT-PREFIX-2"),
        ({"foreign": 1}, "RT-ISOLATION-1"),
        ({"unreadable": 4}, "RT-SCHEMA-1"),
    ],
)
def test_what_went_astray_under_load_is_a_violation_with_its_ledger_as_evidence_wherever_it_is_told(
    tmp_path: Path, sums: dict[str, int], clause: str
) -> None:
    record = ledger_record(tmp_path, **sums)
    basis = Basis(load_void="the generator was late", clauses=LOAD)
    verdicts = judged(record.path, record.info, basis)
    record.save_verdicts(verdicts)
    code = code_of(verdicts.results, basis)
    record.finish(exit_code=code)
    reports_of(record.path)

    (broken,) = [result for result in verdicts.results if result.status is Status.VIOLATED]
    assert (broken.id, broken.violations[0].evidence) == (clause, ("worker-1#0",))
    assert {result.id for result in verdicts.results if result.why == "the generator was late"} == set(TIMED)
    assert code == gated(record.path) == 1
    assert clause in (record.path / "report.html").read_text(encoding="utf-8")
    failed = ET.parse(record.path / "junit.xml").getroot().findall(".//testcase[failure]")
    assert [case.get("name", "").split()[0] for case in failed] == [clause]


def test_a_ledger_without_losses_holds_its_clauses(tmp_path: Path) -> None:
    record = ledger_record(tmp_path)
    verdicts = judged(record.path, record.info, Basis(clauses=("RT-PUSH-1",)))

    (result,) = verdicts.results
    assert (result.status, result.checked, result.checkers[-1]) == (Status.HOLDS, 30, "ledger")


def test_a_ledger_without_unreadable_messages_proves_nothing_of_their_shape(tmp_path: Path) -> None:
    record = ledger_record(tmp_path)
    (result,) = judged(record.path, record.info, Basis(clauses=("RT-SCHEMA-1",))).results

    assert result.status is Status.UNKNOWN


def test_a_loss_counts_where_its_clause_was_not_in_scope(tmp_path: Path) -> None:
    record = ledger_record(tmp_path, foreign=2)
    verdicts = judged(record.path, record.info, Basis(clauses=("PERF-P1",)))

    assert [result.id for result in verdicts.results if result.status is Status.VIOLATED] == ["RT-ISOLATION-1"]


@pytest.mark.slow
def test_a_load_on_a_server_that_drops_messages_is_violated_in_verdicts_exit_code_and_gate(tmp_path: Path) -> None:
    options = checked_options(
        depth="smoke", only="load", seed=5, out=str(tmp_path), quiet=True, mutant="drops_a_message"
    )
    code = verify(options)

    record = read_record((tmp_path / "latest").resolve())
    broken = {result.id: result for result in record.verdicts().results if result.status is Status.VIOLATED}
    assert "RT-PUSH-1" in broken
    assert broken["RT-PUSH-1"].violations[0].evidence[0].startswith("worker-")
    assert code == gated((tmp_path / "latest").resolve()) == 1


def test_a_record_judged_again_keeps_what_was_accepted_what_was_void_and_how_it_failed(tmp_path: Path) -> None:
    record = ledger_record(tmp_path, received=29, lost=1)
    known = (Known("RT-PUSH-1", "ticket 7", date(2999, 1, 1)),)
    able = Capabilities(needs=frozenset(), grants=frozenset({"tasks", "accounts", "connections"}))
    basis = Basis(known=known, capabilities=able, load_void="too busy", replay="harness load", clauses=LOAD)
    before = judged(record.path, record.info, basis)
    record.save_verdicts(before)
    record.update(facts={"failed": "", **kept(basis)})
    record.finish(exit_code=code_of(before.results, basis))

    for _ in range(2):
        assert judged_again(read_record(record.path)) == before
    assert read_record(record.path).info.exit_code == record.info.exit_code == 2
    told = {result.id: result.known for result in before.results if result.known}
    assert told["RT-PUSH-1"] == "ticket 7 (until 2999-01-01)"

    record.update(facts={"failed": "no disk", **kept(basis)})
    judged_again(read_record(record.path))
    assert read_record(record.path).info.exit_code == gated(record.path) == 3


def test_a_record_judged_again_is_cut_where_the_run_was(tmp_path: Path) -> None:
    record = RunRecord.create(what="test", seed=1, root=tmp_path)
    client = group_sink(record.path, "main", "client")
    asked = {"operation": "health", "method": "GET", "path": "/health", "expect": {"status": [200]}}
    client(Event("client", 0, 10, "invoke", op=1, case="REST-HEALTH-1/x", data=asked))
    client(Event("client", 1, 30, "fail", op=1, case="REST-HEALTH-1/x", data={"status": 503, "body": {}}))
    client.close()
    record.finish(exit_code=2, complete=False)

    def status(basis: Basis) -> list[Status]:
        record.update(facts=kept(basis))
        return [result.status for result in judged_again(read_record(record.path)).results]

    assert status(Basis(clauses=("REST-HEALTH-1",))) == [Status.VIOLATED]
    assert status(Basis(clauses=("REST-HEALTH-1",), cut_ns=20)) == [Status.UNKNOWN]


def test_what_is_violated_on_virtual_time_is_replayed_by_its_script_and_the_report_links_it(tmp_path: Path) -> None:
    record = RunRecord.create(what="test", seed=1, root=tmp_path)
    options = checked_options(only="scenario", seed=5, mutant="leaks_to_another_user", out=str(tmp_path))
    simulated_histories(record, options, 5)
    verdicts = judged(record.path, record.info, Basis(replay="harness verify"))
    record.save_verdicts(verdicts)
    record.finish(exit_code=1)
    reports_of(record.path)

    leak = next(result for result in verdicts.results if result.id == "RT-ISOLATION-1")
    replay = leak.violations[0].replay
    assert replay.startswith(command("replay") + " ")
    script = Path(replay.rpartition(" ")[2])
    assert decode_script(script.read_bytes()).clause == "RT-ISOLATION-1"
    assert f"scripts/{script.name}" in (record.path / "report.html").read_text(encoding="utf-8")


def test_a_script_replays_its_clause_wherever_that_was_violated_and_only_what_is_judged_has_one(tmp_path: Path) -> None:
    record = RunRecord.create(what="test", seed=5, root=tmp_path, depth="smoke")
    options = checked_options(depth="smoke", only="scenario", seed=5, mutant="drops_a_message", out=str(tmp_path))
    notes = simulated_histories(record, options, 5)
    # The same over sockets, as another history of the run.
    (record.path / "history" / "t0-two_people_two_tabs").rename(record.path / "history" / "scenario")
    verdicts = judged(record.path, record.info, Basis(replay="harness verify", clauses=options.clauses))

    broken = [result for result in verdicts.results if result.status is Status.VIOLATED]
    replays = {violation.replay for result in broken for violation in result.violations}
    assert "harness verify" not in replays
    assert {note.split()[0] for note in notes if "shrunk" in note} == {"RT-PUSH-1"}
    assert len(replays) == len(list((record.path / "scripts").iterdir())) == 1


def test_a_void_attempt_at_a_load_stays_in_the_record_and_the_next_writes_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loadtests import runner

    told: list[int] = []

    def busy(*given: Any, attempt: int, **named: Any) -> int:
        told.append(attempt)
        (tmp_path / "samples").mkdir(exist_ok=True)
        (tmp_path / "samples" / "load.json").write_text(f'{{"left_behind": "accounts of attempt {attempt}"}}')
        return runner.EXIT_VOID if attempt == 1 else runner.EXIT_OK

    monkeypatch.setattr(runner, "run", busy)
    monkeypatch.setattr(runner, "read_summary", lambda _: None)
    short_load("http://127.0.0.1:1", tmp_path, checked_options(), 1, 30)

    assert told == [1, 2]
    assert left_by_load(tmp_path) == ["accounts of attempt 2", "accounts of attempt 1"]


def test_the_browser_is_told_what_the_target_grants_and_plays_the_folders_own_tests(tmp_path: Path) -> None:
    granted = read_profile({"api": "https://zsh.example", "allow": ["accounts", "tasks"]}, "t")
    refused = read_profile({"api": "https://zsh.example", "allow": ["tasks"]}, "t")

    assert "--allow-accounts" in _pytest_command(tmp_path, granted, 1)
    assert "--allow-accounts" not in _pytest_command(tmp_path, refused, 1)
    own = _pytest_command(tmp_path, None, 1)
    assert "--target-local" in own
    folders = {Path(word).parent.name for word in own if word.endswith(".py")}
    assert folders == {"e2e"}


def test_a_word_chooses_browser_tests_and_what_is_judged_of_them() -> None:
    chosen = browser_choice(None, "canceled_in_its_row")

    assert chosen.clauses == ("CLIENT-BADGE-1", "PAGE-DASHBOARD-2")
    assert "test_dashboard_test_a_task_can_be_canceled_in_its_row" in chosen.names


LOG = """\
collecting ... collected 105 items{more}

test_ping.py::test_first PASSED [  1%]
test_ping.py::test_a_page_waits[wide] """


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("", ""),
        ("collected 105 items\n", ""),
        (LOG.format(more=""), "2 of 105, a page waits"),
        (LOG.format(more=" / 99 deselected / 6 selected"), "2 of 6, a page waits"),
    ],
)
def test_the_browsers_log_tells_which_test_is_at_work(log: str, told: str) -> None:
    assert step_of(log) == told


def test_where_lines_stay_a_step_is_told_after_some_silence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr("harness.verify.progress.time.monotonic", lambda: now_s)
    progress = Progress(quiet=False)
    progress.part("browser")
    progress.step("1 of 2")
    now_s += PLAIN_S
    progress.step("2 of 2")
    progress.step("2 of 2")

    assert capsys.readouterr().out.splitlines() == ["0:00  browser …", "0:15  browser: 2 of 2"]


def test_a_failed_browser_test_is_a_note_and_no_verdict() -> None:
    assert "could not be done" in note_of(1, "log")
    with pytest.raises(OutsideError, match="ended with 4"):
        note_of(4, "log")
