"""What a server sends is read within bounds, and recorded as what it is."""

import asyncio
from collections.abc import Iterable

import pytest

from harness.checkers.frames import FRAME, Frames
from harness.checkers.tests.histories import status
from harness.conformance.raw_frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame
from harness.conformance.raw_incoming import MESSAGE_BYTES_MAX, Bounds, Incoming, OverBoundsError
from harness.history import Event, Recorder
from harness.verdicts import Status

BOUNDS = Bounds(frames_max=10, bytes_max=1000)


def sent(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return frame(opcode, payload, fin=fin, masked=False)


def read(data: Iterable[bytes], bounds: Bounds = BOUNDS) -> tuple[list[Event], OverBoundsError | None]:
    """Read all of it; return what was recorded, and what was over the bounds."""
    events: list[Event] = []
    recorder = Recorder("client", iter(range(10**6)).__next__, events.append)
    recorder.record("connecting", connection="c1")
    recorder.record("opened", connection="c1")

    async def main() -> OverBoundsError | None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"".join(data))
        reader.feed_eof()
        incoming = Incoming(lambda kind, **told: recorder.record(kind, connection="c1", **told), bounds)
        try:
            while True:
                await incoming.next(reader)
        except OverBoundsError as over:
            return over
        except asyncio.IncompleteReadError:
            return None

    over = asyncio.run(main())
    return events[2:], over


def test_a_binary_message_in_fragments_is_no_text() -> None:
    events, _ = read([sent(BINARY, b"\xff\xfe", fin=False), sent(PING), sent(CONTINUATION, b"\xfd"), sent(CLOSE)])

    assert [(event.kind, event.data["opcode"]) for event in events] == [
        ("frame", "binary"), ("frame", "ping"), ("frame", "continuation"),
    ]  # fmt: skip
    assert not any("utf8" in event.data for event in events)


def test_a_peer_that_sends_binary_in_fragments_breaks_no_rule_of_framing() -> None:
    events, _ = read([sent(BINARY, b"\xff\xfe", fin=False), sent(CONTINUATION, b"\xfd"), sent(TEXT, b"{}")])

    told = [Event("client", 0, 0, "connecting", connection="c1"), *events]
    assert status(Frames(), told, FRAME) is Status.HOLDS


def test_a_text_behind_binary_in_fragments_is_a_text_of_its_own() -> None:
    events, _ = read([sent(BINARY, b"\xff", fin=False), sent(CONTINUATION), sent(TEXT, b"{", fin=False),
                      sent(CONTINUATION, b"}")])  # fmt: skip

    assert [event.data["message"] for event in events if event.kind == "received"] == [{}]


def test_text_in_fragments_that_is_no_utf8_is_told() -> None:
    events, _ = read([sent(TEXT, b"\xe2\x82", fin=False), sent(CONTINUATION, b"x")])

    assert [event.data.get("utf8") for event in events] == [None, False]


def test_a_continuation_of_nothing_is_told_as_a_frame() -> None:
    events, _ = read([sent(CONTINUATION, b"x")])

    assert [(event.kind, event.data["opcode"]) for event in events] == [("frame", "continuation")]


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE, 3])
def test_a_frame_over_the_bound_is_told_and_nothing_of_it_is_read(opcode: int) -> None:
    head = bytes([0x80 | opcode, 127]) + (1 << 62).to_bytes(8)
    events, over = read([head])

    assert over is not None
    assert not over.flood
    assert (events[-1].data["bytes"], events[-1].data["head"]) == (1 << 62, head.hex())
    assert events[-1].data.get("message_bytes") == (1 << 62 if opcode in (TEXT, BINARY) else None)


def test_fragments_are_added_up() -> None:
    half = sent(CONTINUATION, bytes(MESSAGE_BYTES_MAX // 2), fin=False)
    events, over = read([sent(TEXT, b"x", fin=False), half, half], Bounds())

    assert over is not None
    assert events[-1].data["message_bytes"] == MESSAGE_BYTES_MAX + 1


def test_a_message_of_the_largest_size_that_is_read_is_read() -> None:
    events, over = read([sent(TEXT, b"1" * MESSAGE_BYTES_MAX)], Bounds())

    assert over is None
    assert events[-1].data["bytes"] == MESSAGE_BYTES_MAX


@pytest.mark.parametrize(("one", "kept"), [(sent(PING), 10), (sent(TEXT, b"1" * 300), 3)])
def test_more_than_the_bounds_of_a_connection_is_a_flood(one: bytes, kept: int) -> None:
    events, over = read([one] * 100)

    assert over is not None
    assert over.flood
    assert len(events) == kept
