"""The frame parser on bytes in any pieces (RFC 6455 §5); what each refusal leads to is shown on real sockets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as Code

from reference_server.contract import limits
from reference_server.core.effects import Failed, FrameIn, Opcode
from reference_server.websocket.frames import FrameParser, FrameReader

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
    inputs = list(FrameParser(1).feed(data))

    assert all(isinstance(item, FrameIn) for item in inputs[:-1])


def unchecked(first: int, key: bytes, payload: bytes) -> bytes:
    """Return a masked frame with a length of seven bits, whatever its first byte says."""
    body = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    return bytes((first, 0x80 | len(payload))) + key + body


firsts = st.sampled_from((0x81, 0x89, 0x8A, 0x01, 0x80, 0x00, 0x88, 0x82, 0x09, 0xC1, 0x83))
payloads = st.one_of(st.binary(max_size=125), st.text(max_size=30).map(str.encode))
raw = st.one_of(
    st.binary(max_size=40),
    st.builds(unchecked, firsts, st.binary(min_size=4, max_size=4), payloads),
    st.builds(masked, st.just(Code.TEXT), st.text(max_size=200).map(str.encode)),
)


@pytest.mark.property
@given(st.lists(raw, max_size=8).map(b"".join), st.integers(1, 200))
def test_the_short_way_of_the_common_frame_ends_where_the_long_way_does(stream: bytes, chunk: int) -> None:
    reader, parser = FrameReader(3), FrameParser(3)

    for at in range(0, len(stream), chunk):
        assert list(reader.feed(stream[at : at + chunk])) == list(parser.feed(stream[at : at + chunk]))


def test_a_reader_keeps_nothing_while_no_frame_is_begun() -> None:
    reader = FrameReader(1)
    fragments = masked(Code.TEXT, b"a", fin=False), masked(Code.CONT, b"b")

    for stream in (masked(Code.PING, b"p"), masked(Code.TEXT, b"x" * 300), fragments[0]):
        list(reader.feed(stream))
        assert reader.at_rest == (stream is not fragments[0])
    list(reader.feed(fragments[1]))
    assert reader.at_rest
    list(reader.feed(masked(Code.CLOSE, b"")))
    assert not reader.at_rest


@pytest.mark.parametrize("first", [0x89, 0x01])
def test_frames_are_read_only_as_far_as_they_are_asked_for(first: int) -> None:
    reader, key = FrameReader(1), bytes(4)
    stream = unchecked(first, key, b"") + unchecked(0x88, key, b"\x03\xe8")

    inputs = reader.feed(stream)
    assert isinstance(frame := next(inputs), FrameIn)
    assert frame.opcode is not Opcode.CLOSE
    assert isinstance(frame := next(inputs), FrameIn)
    assert frame.opcode is Opcode.CLOSE


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
    assert len(list(closed.feed(masked(Code.CLOSE, b"") + masked(Code.TEXT, b"x")))) == 1
    (failure,) = failed.feed(masked(Code.CONT, b"") + masked(Code.TEXT, b"x"))

    assert isinstance(failure, Failed)
    assert list(closed.feed(masked(Code.TEXT, b"x"))) == list(failed.feed(masked(Code.TEXT, b"x"))) == []


def test_a_message_of_exactly_64_kib_is_not_too_big() -> None:
    text = b"x" * limits.CLIENT_MESSAGE_BYTES_MAX

    assert list(FrameParser(1).feed(masked(Code.TEXT, text))) == [FrameIn(1, Opcode.TEXT, text)]
