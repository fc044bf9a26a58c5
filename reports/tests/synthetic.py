"""Synthetic records: small, made by hand, and the same every time.

`record` writes one into a folder; everything that a test does not name is as in a good run.
"""

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from harness.records import Machine, RunRecord, Verdicts
from harness.verdicts import ClauseResult, Status, Violation

NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER: Final = datetime(2026, 3, 1, 12, 1, 7, tzinfo=UTC)
HOSTILE: Final = "<script>alert(1)</script> ]]> ``` | **x** \" ' &amp; \x00\x1b\u202e"
TEXTS: Final = {
    "REST-AUTH-1": "a call without a valid credential is 401 and says why",
    "SEC-OWNER-1": "another account's tasks are 404",
    "TASK-FINAL-1": "nothing follows completed, failed or canceled",
    "RT-PREFIX-1": "no gap: what was accepted for a connection before something it received was received",
    "LIVE-PING-1": "the server pings every 54 s",
    "CLIENT-BACKOFF-1": "reconnects after 1, 2, 4, 8, 16 s, each up to 10 % longer",
    "PAGE-COHERENCE-1": "the page equals REST within 2 s of a reconnect",
    "PERF-P1": "connects in < 100 ms local, < 500 ms production: p95, handshake start to welcome",
    "PERF-P2": "message latency < 50 ms: p99, invocation of the publish to frame read",
}


def clause(clause_id: str, status: Status = Status.HOLDS, **changes: Any) -> ClauseResult:
    """Return a result; text and figures by the clause's id."""
    text = changes.pop("text", TEXTS.get(clause_id, f"what {clause_id} promises"))
    family, needs = clause_id.partition("-")[0], changes.pop("needs", ())
    given: dict[str, Any] = {"checked": 0 if status in (Status.UNKNOWN, Status.UNSUPPORTED) else 42, **changes}
    kind = "budget" if family == "PERF" else "safety"
    return ClauseResult(clause_id, text, "§5(a)", kind, "black-box", needs, False, status, ("folds",), **given)


def violation(what: str = "connection c1 received running after completed", **changes: Any) -> Violation:
    """Return a violation that cites two events of the synthetic history."""
    given: dict[str, Any] = {
        "evidence": ("client#4", "server#0"),
        "faults": ("cut c1",),
        "replay": "harness replay .runs/r/scripts/task-final-1.json",
        **changes,
    }
    return Violation(what, **given)


def good() -> list[ClauseResult]:
    """Return results of every family, all of which hold."""
    figures = {"PERF-P1": {"p95_ms": 11.4, "limit_ms": 100.0}, "PERF-P2": {"p99_ms": 23.75, "limit_ms": 50.0}}
    return [clause(clause_id, figures=figures.get(clause_id, {})) for clause_id in TEXTS]


def history() -> list[dict[str, Any]]:
    """Return a small history: a run of three phases, one cut, two recorders."""
    task = {
        "type": "task_update",
        "timestamp": "2026-03-01T12:00:00.5Z",
        "data": {"task_id": "7d1", "status": "running"},
    }
    runner = [
        ("phase", 0, {"name": "start"}),
        ("phase", 2000, {"name": "faults"}),
        ("fault", 3000, {"name": "cut c1", "action": "inject"}),
        ("phase", 7000, {"name": "quiet"}),
        ("phase", 9000, {"name": "end"}),
    ]
    client = [
        ("invoke", 100, {"operation": "submit_task", "method": "POST", "path": "/api/v1/tasks/submit"}),
        ("ok", 112, {"status": 202, "body": {"task_id": "7d1"}, "ms": 12.1}),
        ("opened", 300, {}),
        ("received", 400, {"message": task, "bytes": 120}),
        ("received", 3400, {"message": task, "bytes": 120}),
        ("ok", 5112, {"status": 200, "body": {}, "ms": 3.0}),
    ]
    server = [("accepted", 350, {"seq": 1, "audience": "user", "type": "task_update", "digest": "ab"})]
    made = []
    for recorder, rows in (("runner", runner), ("client", client), ("server", server)):
        for index, (kind, ms, data) in enumerate(rows):
            event = {"recorder": recorder, "index": index, "at_ns": 10**12 + ms * 10**6, "kind": kind, "data": data}
            made.append({**event, **({"connection": "c1"} if kind == "received" else {})})
    return made


def load_summary(**changes: Any) -> dict[str, Any]:
    """Return `samples/load.json` as the load folder writes it."""
    figures = {"count": 500, "p50": 4.1, "p95": 9.0, "p99": 14.2, "max": 20.0}
    return {
        "format": 1, "scenario": "hello", "users": 50, "duration_s": 10.0, "fan_out": 1, "offered": 500,
        "figures": {"connect": figures, "delivery": figures},
        "measured_from": {"delivery": "invocation of the submit to the queued push read"},
        "ledger": {"expected": 1500, "received": 1499, "lost": 1, "doubled": 0},
        "server": {"messages_sent": 2050, "connections": 50},
        "messages_per_s": {"-1": 50, "0": 200, "1": 220, "2": 190},
        "faults": {}, "void": [], "left_behind": "50 accounts", **changes,
    }  # fmt: skip


def record(
    root: Path,
    results: Sequence[ClauseResult] | None = (),
    *,
    events: Sequence[dict[str, Any]] | None = None,
    load: dict[str, Any] | None = None,
    target: str = "http://127.0.0.1:8080",
    finish: dict[str, Any] | None = None,
    **info: Any,
) -> Path:
    """Write a record and return its folder; `results` None: never judged, `finish` None: cut off before its end."""
    facts = {"canary": "violated RT-PREFIX-1, as it must", "target_kind": "reference server, exclusive"}
    made = RunRecord.create(
        what="verify", seed=7, root=root, target=target, tier="t2", now=lambda: NOW,
        command=("harness", "verify", "--seed", "7"), facts=info.pop("facts", facts),
    )  # fmt: skip
    made.update(versions={"zerostate-harness": "0.1.0"}, machine=Machine(2, "Linux", "3.11.2"), **info)
    for event in history() if events is None else events:
        with made.path.joinpath("history", f"{event['recorder']}.jsonl").open("a") as file:
            file.write(json.dumps(event) + "\n")
    if results is not None:
        made.save_verdicts(
            Verdicts(results=tuple(results or good()), out_of_scope=31, held_by_project_tests=("RT-SLOW-2",))
        )
    if load is not None:
        made.write("samples/load.json", json.dumps(load))
    if finish is not None:
        made.finish(now=lambda: LATER, **finish)
    return made.path


def ended(root: Path, results: Sequence[ClauseResult] | None = (), **given: Any) -> Path:
    """Write the record of a run that came to its end."""
    return record(root, results, finish={"exit_code": 0}, **given)


def png(width: int, height: int) -> bytes:
    """Return what a PNG begins with: all that a report reads of it."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)


def jpeg(width: int, height: int) -> bytes:
    """Return what a JPEG begins with: its application segment and the header of its frame."""
    application = struct.pack(">2sH14s", b"\xff\xe0", 16, b"JFIF")
    return b"\xff\xd8" + application + struct.pack(">2sHBHHB", b"\xff\xc0", 17, 8, height, width, 3) + bytes(9)
