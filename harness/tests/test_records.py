"""What a run leaves behind, and what reading it back refuses."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from harness.history import Event
from harness.records import RecordError, RunRecord, Verdicts, list_records, read_record, without_secrets
from harness.verdicts import ClauseResult, Status

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def made(root: Path, number: int = 0, keep: int = 20) -> RunRecord:
    at = NOON + timedelta(seconds=number)
    return RunRecord.create(root=root, what="verify", seed=7, command=["harness", "verify"], keep=keep, now=lambda: at)


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    record = made(tmp_path)
    event = Event("client", 0, 5, "note", data={"text": "ä"})
    record.sink("client")(event)
    record.sink("server")(Event("server", 0, 3, "note"))
    result = ClauseResult("RT-SCHEMA-1", "t", "§5", "safety", "black-box", (), False, Status.HOLDS)
    record.save_verdicts(Verdicts(results=(result,), out_of_scope=3))
    record.finish(exit_code=0, now=lambda: NOON)

    read = read_record(tmp_path / "latest")
    assert read.path.name == "20260101T120000-verify-7"
    assert [found.recorder for found in read.history()] == ["server", "client"]
    assert read.history()[1] == event
    assert read.verdicts().results == (result,)
    assert (read.info.complete, read.info.exit_code, read.info.ended_at) == (True, 0, "2026-01-01T12:00:00.000Z")


def test_a_run_that_was_cut_off_is_not_complete(tmp_path: Path) -> None:
    made(tmp_path)
    read = read_record(tmp_path / "latest")
    assert (read.info.complete, read.info.exit_code, read.has_verdicts) == (False, None, False)
    with pytest.raises(RecordError, match=r"has no readable verdicts\.json: was the run cut off\?"):
        read.verdicts()


def test_an_unknown_format_is_refused_in_words(tmp_path: Path) -> None:
    path = made(tmp_path).path / "run.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), "format": 9}))
    with pytest.raises(RecordError, match="has format 9, expected 1"):
        read_record(tmp_path / "latest")


@pytest.mark.parametrize("text", [b"", b"[]", b'{"format":1}', b"\xff"])
def test_a_broken_run_json_is_refused_in_words(tmp_path: Path, text: bytes) -> None:
    (made(tmp_path).path / "run.json").write_bytes(text)
    with pytest.raises(RecordError, match=r"run\.json is no RunInfo"):
        read_record(tmp_path / "latest")


def test_a_history_line_that_was_cut_off_is_named(tmp_path: Path) -> None:
    record = made(tmp_path)
    (record.path / "history" / "client.jsonl").write_text('{"recorder": "cl')
    with pytest.raises(RecordError, match=r"client\.jsonl line 1 is no event"):
        read_record(record.path).history()


def test_no_folder_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no run record at"):
        read_record(tmp_path / "none")


def test_the_newest_are_kept_but_no_run_that_still_goes_on(tmp_path: Path) -> None:
    for number in range(5):
        record = made(tmp_path, number, keep=2)
        if number != 0:
            record.finish(exit_code=0)
    kept = [path.name for path in list_records(tmp_path)]
    assert kept == ["20260101T120000-verify-7", "20260101T120004-verify-7"]
    assert (tmp_path / "latest").resolve().name == kept[-1]


def test_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(made(tmp_path).path.name)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 8
    assert (tmp_path / "latest").resolve().name in names
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    record = made(tmp_path)
    record.write("scripts/a.json", "one")
    record.write("scripts/a.json", "two")
    assert read_record(record.path).text("scripts/a.json") == "two"
    assert [path.name for path in read_record(record.path).files("scripts")] == ["a.json"]


def test_an_unwritable_root_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="can't write the run record"):
        made(tmp_path / "file")


def test_secrets_of_a_command_line_are_masked() -> None:
    told = without_secrets(
        ["/x/harness", "verify", "--token", "abc", "--admin-password=pw", "--token-ttl=3", "https://ann:pw@h/x"]
    )
    assert told == (
        "harness", "verify", "--token", "***", "--admin-password=***", "--token-ttl=***", "https://***@h/x"
    )  # fmt: skip
