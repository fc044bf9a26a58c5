"""Tables for the server's own frames: heads as they came, and where they stand."""

from typing import Any

import pytest

from harness.checkers.frames import FRAME, Frames
from harness.checkers.tests.histories import History, status
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
Told = tuple[str, dict[str, Any]]


def text(head: str, **more: Any) -> Told:
    return "received", {"head": head, "message": {}, **more}


def other(head: str, opcode: str = "pong") -> Told:
    return "frame", {"head": head, "opcode": opcode}


def closed(head: str, code: int = 1000, **more: Any) -> Told:
    return "closed", {"head": head, "code": code, "by": "peer", **more}


def told(*events: Told) -> History:
    history = History().add("connecting", connection="c1").add("opened", connection="c1")
    for kind, data in events:
        history.add(kind, connection="c1", **data)  # type: ignore[arg-type]
    return history


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([text("8100")], HOLDS),
        ([text("817d")], HOLDS),
        ([text("817e007e")], HOLDS),
        ([text("817effff")], HOLDS),
        ([text("817f0000000000010000")], HOLDS),
        ([text("8105"), text("8a00"), closed("8802")], HOLDS),
        ([other("8a7d"), other("8900", "ping")], HOLDS),
        ([other("0105", "text"), other("0003", "continuation"), other("8900", "ping"), text("8001")], HOLDS),
        ([closed("8800", 1005)], HOLDS),
        ([closed("8804", 4999)], HOLDS),
        ([text("8181")], VIOLATED),
        ([text("c100")], VIOLATED),
        ([text("9100")], VIOLATED),
        ([other("8300", "3")], VIOLATED),
        ([other("8b00", "11")], VIOLATED),
        ([text("817e007d")], VIOLATED),
        ([text("817f000000000000ffff")], VIOLATED),
        ([text("817f8000000000000000")], VIOLATED),
        ([other("0a00")], VIOLATED),
        ([other("8a7e007e")], VIOLATED),
        ([text("8000")], VIOLATED),
        ([other("0105", "text"), text("8105")], VIOLATED),
        ([other("0105", "text"), text("8005"), text("8005")], VIOLATED),
        ([text("8101", utf8=False)], VIOLATED),
        ([closed("8801", 1005)], VIOLATED),
        ([closed("8802", 1005)], VIOLATED),
        ([closed("8802", 999)], VIOLATED),
        ([closed("8802", 5000)], VIOLATED),
        ([closed("8803", utf8=False)], VIOLATED),
        ([closed("8802"), other("8a00")], VIOLATED),
        ([closed("8802"), other("8802", "close")], VIOLATED),
    ],
)
def test_a_frame_is_judged_by_its_head_and_by_where_it_stands(events: list[Told], expected: Status) -> None:
    assert status(Frames(), told(*events), FRAME) is expected


def test_a_client_that_tells_no_heads_says_nothing_of_frames() -> None:
    history = History().connect("c1").add("frame", connection="c1", opcode="tcp-end", bytes=0)
    assert status(Frames(), history, FRAME) is UNKNOWN


@pytest.mark.parametrize("head", ["", "81", "zz00", "817e00", "817f00"])
def test_a_head_that_is_none_is_not_judged(head: str) -> None:
    assert status(Frames(), told(text(head)), FRAME) is UNKNOWN


def test_a_name_used_again_begins_a_connection_of_its_own() -> None:
    history = told(closed("8802"))
    history.add("connecting", connection="c1").add("received", connection="c1", head="8100", message={})
    assert status(Frames(), history, FRAME) is HOLDS
