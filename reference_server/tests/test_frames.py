"""The frame parser on bytes in any pieces (RFC 6455 §5); what each refusal leads to is shown on real sockets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as Code

from reference_server.contract import limits
from reference_server.core.effects import Failed, FrameIn, Opcode
from reference_server.websocket.frames import FrameParser

messages = st.lists(st.tuples(st.text(max_size=300), st.integers(1, 4)), max_size=6)


def masked(opcode: Code, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def in_fragments(text: str, parts: int) -> bytes:
    data = text.encode()
    size = len(data) // parts + 1
    pieces = [data[start : start + size] for start in range(0, max(1, len(data)), size)]
    last = len(pieces) - 1
    return b"".join(
        masked(Code.TEXT if index == 0 else Code.CONT, piece, fin=index == last) for index, piece in enumerate(pieces)
    )


@pytest.mark.property
@given(messages, st.integers(1, 50))
def test_messages_come_out_whole_however_they_arrive(sent: list[tuple[str, int]], chunk: int) -> None:
    parser = FrameParser(7)
    stream = b"".join(in_fragments(text, parts) for text, parts in sent)
    inputs = [item for at in range(0, len(stream), chunk) for item in parser.feed(stream[at : at + chunk])]

    texts = [item.payload.decode() for item in inputs if isinstance(item, FrameIn) and item.opcode is Opcode.TEXT]
    assert texts == [text for text, _ in sent]
    assert all(isinstance(item, FrameIn) and item.connection == 7 for item in inputs)


@pytest.mark.property
@given(st.binary(max_size=300))
def test_any_bytes_end_in_frames_or_one_failure(data: bytes) -> None:
    inputs = FrameParser(1).feed(data)

    assert all(isinstance(item, FrameIn) for item in inputs[:-1])


def test_control_frames_may_come_between_fragments() -> None:
    parser = FrameParser(1)
    stream = masked(Code.TEXT, b"a", fin=False) + masked(Code.PING, b"p") + masked(Code.CONT, b"b")

    assert [(item.opcode, item.payload) for item in parser.feed(stream) if isinstance(item, FrameIn)] == [
        (Opcode.FRAGMENT, b""),
        (Opcode.PING, b"p"),
        (Opcode.TEXT, b"ab"),
    ]


def test_nothing_after_a_close_or_a_failure_is_looked_at() -> None:
    closed, failed = FrameParser(1), FrameParser(2)
    assert len(closed.feed(masked(Code.CLOSE, b"") + masked(Code.TEXT, b"x"))) == 1
    (failure,) = failed.feed(masked(Code.CONT, b"") + masked(Code.TEXT, b"x"))

    assert isinstance(failure, Failed)
    assert closed.feed(masked(Code.TEXT, b"x")) == failed.feed(masked(Code.TEXT, b"x")) == []


def test_a_message_of_exactly_64_kib_is_not_too_big() -> None:
    text = b"x" * limits.CLIENT_MESSAGE_BYTES_MAX

    assert FrameParser(1).feed(masked(Code.TEXT, text)) == [FrameIn(1, Opcode.TEXT, text)]
