"""The socket: handshake, messages, what ends a connection, heartbeats, publishing (contract §5, RFC 6455)."""

import asyncio
import struct
from typing import Any, Final

from msgspec import Struct

from harness.conformance.raw_frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame
from harness.conformance.raw_socket import RawSocket
from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.stage import NotAcceptedError, Stage, read_as
from harness.conformance.suite import Act
from reference_server.contract import limits

ENDED_S: Final = 6.0
TCP_ENDED_S: Final = limits.ABORT_AFTER_CLOSE_S + 2.0
"""More than a judge wants to have seen before it calls an end missing."""

ECHO_S_MAX: Final = 2.0
"""How long the last pong is awaited behind one that answers something else: a peer may tell no timestamp at all."""

FLOOD_FRAMES: Final = limits.FRAME_BURST_MAX * 2
STAMP: Final = "2024-02-29T12:00:00.123456Z"
LAST_STAMP: Final = "2024-02-29T12:00:00.654321Z"
"""The timestamp of the ping that ends a conversation."""


def closing(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame's payload."""
    return struct.pack("!H", code) + reason


PROTOCOL_ERRORS: Final[tuple[tuple[str, bytes], ...]] = (
    ("reserved-bit", frame(TEXT, b"{}", rsv=4)),
    ("unmasked", frame(TEXT, b"{}", masked=False)),
    ("unknown-opcode", frame(0x3, b"x")),
    ("unknown-control", frame(0xB, b"x")),
    ("fragmented-ping", frame(PING, b"x", fin=False)),
    ("long-ping", frame(PING, b"x" * 126)),
    ("lone-continuation", frame(CONTINUATION, b"x")),
    ("text-within-text", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b")),
    ("length-16-too-long", frame(TEXT, b"{}", long_length=16)),
    ("length-64-too-long", frame(TEXT, b"{}", long_length=64)),
    ("close-of-one-byte", frame(CLOSE, b"\x03")),
    *((f"close-{code}", frame(CLOSE, closing(code))) for code in (0, 999, 1004, 1005, 1006, 1015, 5000)),
)
ENDINGS: Final[tuple[tuple[str, str, int, bytes], ...]] = (
    ("RT-CLOSE-1", "binary", 1003, frame(BINARY, b"\x00\x01")),
    ("RT-CLOSE-2", "text", 1007, frame(TEXT, b"\xff\xfe")),
    ("RT-CLOSE-2", "surrogate", 1007, frame(TEXT, b"\xed\xa0\x80")),
    ("RT-CLOSE-2", "fragments", 1007, frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"\x28")),
    ("RT-CLOSE-2", "close-reason", 1007, frame(CLOSE, closing(1000, b"\xff"))),
    ("RT-CLOSE-3", "one-frame", 1009, frame(TEXT, b" " * (limits.CLIENT_MESSAGE_BYTES_MAX + 1))),
    ("RT-CLOSE-3", "fragments", 1009,
     frame(TEXT, b" " * 40_000, fin=False) + frame(CONTINUATION, b" " * 40_000)),
    *(("RT-CLOSE-4", name, 1002, data) for name, data in PROTOCOL_ERRORS),
)  # fmt: skip
IGNORED: Final[tuple[Any, ...]] = (
    b'{"type":"hello","data":{}}', b"{}", b'{"type":7}', b"[]", b'"text"', b"nonsense", b"", b"7",
    b'{"type":"ping","timestamp":"yesterday"}', b'{"type":"ping","timestamp":7}',
)  # fmt: skip
INVALID: Final = (b"[]", b"nonsense", b'{"type":"ping","timestamp":"yesterday"}')


def pongs(socket: RawSocket) -> list[Any]:
    """Return what the pongs that were read give back, None for nothing."""
    read = [one for one in socket.messages if isinstance(one, dict) and one.get("type") == "pong"]
    return [data.get("received") if isinstance(data := pong.get("data"), dict) else None for pong in read]


async def answered(socket: RawSocket, pings: int = 1) -> bool:
    """Send the last of so many pings and wait for its own pong: all that came of what was sent before is read then.

    Any pong won't do: it may be a wrong answer to what came before, with the right one still on its way.
    """

    def settled() -> bool:
        return socket.ended or LAST_STAMP in (read := pongs(socket)) or len(read) > pings

    await socket.send_json({"type": "ping", "timestamp": LAST_STAMP})
    await socket.wait(lambda: settled() or len(pongs(socket)) >= pings, ENDED_S)
    return await socket.wait(settled, ECHO_S_MAX)


async def wait_pushed(socket: RawSocket, pushes: int) -> bool:
    """Wait for so many messages behind the welcome: they may be read after the answer that caused them (§5(e))."""
    return await socket.wait(lambda: socket.ended or len(socket.messages) > pushes, ENDED_S)


async def what_ends_a_connection(stage: Stage) -> None:
    """RT-CLOSE-1 to 4: each on a connection of its own, with the code that it must close with; RT-FRAME-1 beside."""
    for clause, name, code, data in ENDINGS:
        socket = await stage.dialed(stage.user, f"{clause}/{name}", close_code=[code], sends=True)
        await socket.send_bytes(data, name)
        await socket.wait_closed(ENDED_S)
        await socket.leave()


async def the_largest_message_allowed(stage: Stage) -> None:
    """RT-CLOSE-3, the valid side of the bound: it is no JSON object, ignored, and the connection stays."""
    socket = await stage.dialed(stage.user, "RT-CLOSE-3/just-fits", receives={"type": "pong"}, sends=True)
    await socket.send(TEXT, b" " * limits.CLIENT_MESSAGE_BYTES_MAX)
    await answered(socket)
    await socket.leave()


async def flooding(stage: Stage) -> None:
    """RT-CLOSE-5: control frames count."""
    for name, opcode, payload in (("text", TEXT, b'{"type":"x"}'), ("pings", PING, b"")):
        socket = await stage.dialed(stage.user, f"RT-CLOSE-5/{name}", close_code=[1008], sends=True)
        await socket.send_bytes(frame(opcode, payload) * FLOOD_FRAMES, f"flood-{name}")
        await socket.wait_closed(ENDED_S)
        await socket.leave()


async def welcome_and_pongs(stage: Stage) -> None:
    """RT-WELCOME-1 and RT-PONG-1."""
    first = await stage.dialed(stage.user, "RT-WELCOME-1/level", receives={"type": "system", "data.level": "info"})
    await first.leave()
    for name, ping, wanted in (
        ("stamped", {"type": "ping", "timestamp": STAMP}, {"type": "pong", "data.received": STAMP}),
        ("offset", {"type": "ping", "timestamp": "2024-02-29T13:00:00+01:00"},
         {"type": "pong", "data.received": "2024-02-29T13:00:00+01:00"}),
        ("unstamped", {"type": "ping"}, {"type": "pong", "data": {}}),
        ("extra", {"type": "ping", "more": [1]}, {"type": "pong", "data": {}}),
    ):  # fmt: skip
        socket = await stage.dialed(stage.user, f"RT-PONG-1/{name}", receives=wanted, receives_count=1, sends=True)
        await socket.send_json(ping)
        await answered(socket, pings=2)
        await socket.leave()


async def what_is_ignored(stage: Stage) -> None:
    """RT-IGNORE-1: one pong, that of the one valid ping, and the connection stays."""
    for number, text in enumerate(IGNORED):
        socket = await stage.dialed(
            stage.user, f"RT-IGNORE-1/text-{number}", receives={"type": "pong"}, receives_count=1, sends=True
        )
        await socket.send(TEXT, text)
        await answered(socket)
        await socket.leave()


async def invalid_messages_are_counted(stage: Stage) -> None:
    """RT-IGNORE-2."""
    socket = await stage.dialed(stage.user)
    before = await _figure(stage, "invalid_messages")
    for text in (*INVALID, b'{"type":"hello"}'):
        await socket.send(TEXT, text)
    await answered(socket)
    wanted = {"stats.invalid_messages": before + len(INVALID)}
    await stage.ask(stage.user, "ws_stats", "RT-IGNORE-2/counted", status=[200], body_has=wanted)
    await socket.leave()


class _Stats(Struct):
    stats: dict[str, int]


async def _figure(stage: Stage, name: str) -> int:
    stats = read_as(await stage.ask(stage.user, "ws_stats"), _Stats).stats
    if name not in stats:
        raise NotAcceptedError(f"ws stats say nothing of {name}")
    return stats[name]


async def connections_are_counted(stage: Stage) -> None:
    """REST-STATS-1."""
    now, total = await _figure(stage, "current_connections"), await _figure(stage, "total_connections")
    sockets = [await stage.dialed(stage.user) for _ in range(3)]
    wanted = {"stats.current_connections": now + 3, "stats.total_connections": total + 3}
    await stage.ask(stage.user, "ws_stats", "REST-STATS-1/open", status=[200], body_has=wanted)
    for socket in sockets:
        await socket.send(CLOSE, closing(1000))
        await socket.wait_tcp_end(ENDED_S)
        await socket.leave()
    wanted = {"stats.current_connections": now, "stats.total_connections": total + 3}
    await stage.ask(stage.user, "ws_stats", "REST-STATS-1/closed", status=[200], body_has=wanted)


async def messages_are_counted(stage: Stage) -> None:
    """REST-STATS-2: two welcomes and a pong."""
    before = await _figure(stage, "messages_sent")
    sockets = [await stage.dialed(stage.user) for _ in range(2)]
    await answered(sockets[0])
    wanted = {"stats.messages_sent": before + 3}
    await stage.ask(stage.user, "ws_stats", "REST-STATS-2/counted", status=[200], body_has=wanted)
    for socket in sockets:
        await socket.leave()


async def publishing(stage: Stage) -> None:
    """REST-PUBLISH-1, RT-HONEST-1, REST-PUBLISH-3: how many it was accepted for, and those get it as given."""
    if stage.admin is None:
        return
    stage.two_people()
    marker, to_one = stage.named("to everyone"), stage.named("to one")
    open_before = await _figure(stage, "current_connections")
    pair = [
        await stage.dialed(stage.other, f"RT-HONEST-1/owner-{n}", receives={"data.message": to_one}, receives_count=1)
        for n in (1, 2)
    ]
    else_ = await stage.dialed(
        stage.user, "RT-HONEST-1/everyone", receives={"data.message": marker}, receives_none={"data.message": to_one}
    )
    given = {"message": marker, "level": "info", "extra": {"a": [1, None, "é"]}}
    passed_on = await stage.dialed(stage.user, "REST-PUBLISH-3/as-given", receives={"type": "system", "data": given})
    everyone = {"type": "system", "data": given}
    counted = {"recipients": open_before + 4} if stage.has("exclusive") else {}
    await stage.ask(stage.admin, "ws_broadcast", "REST-PUBLISH-1/everyone", body=everyone, status=[200],
                    body_has=counted)  # fmt: skip
    one = {"user_id": stage.other.account_id, "type": "system", "data": {"message": to_one, "level": "success"}}
    await stage.ask(stage.admin, "ws_send", "REST-PUBLISH-1/one", body=one, status=[200], body_has={"recipients": 2})
    nobody = {**one, "user_id": stage.admin.account_id}
    await stage.ask(stage.admin, "ws_send", "REST-PUBLISH-1/no-socket", body=nobody, status=[200],
                    body_has={"recipients": 0})  # fmt: skip
    for socket, pushes in ((pair[0], 2), (pair[1], 2), (else_, 1), (passed_on, 1)):
        await wait_pushed(socket, pushes)
        await answered(socket)
        await socket.leave()


async def refused_publishes(stage: Stage) -> None:
    """REST-PUBLISH-2: 400 or 404, and nobody gets it."""
    if stage.admin is None:
        return
    marker = stage.named("refused")
    watcher = await stage.dialed(stage.other, "REST-PUBLISH-2/nobody-gets-it", receives_none={"data.message": marker})
    for name, kind, data in (
        ("no-level", "system", {"message": marker}),
        ("bad-level", "system", {"message": marker, "level": "loud"}),
        ("pong", "pong", {"message": marker}),
        ("bad-task", "task_update", {"message": marker, "task_id": 7}),
        ("bad-agent", "agent_update", {"message": marker, "agent_id": "a", "name": "b", "action": "gone"}),
        ("too-large", "system", {"message": marker, "level": "info", "x": "y" * limits.SERVER_MESSAGE_BYTES_MAX}),
    ):
        body = {"type": kind, "data": data}
        await stage.ask(stage.admin, "ws_broadcast", f"REST-PUBLISH-2/{name}", body=body, status=[400])
    good = {"type": "system", "data": {"message": marker, "level": "info"}}
    for name, user in (("unknown-user", UNKNOWN_ID), ("no-uuid", "nobody")):
        await stage.ask(stage.admin, "ws_send", f"REST-PUBLISH-2/{name}", body={**good, "user_id": user}, status=[404])
    await answered(watcher)
    await watcher.leave()


async def a_close_handshake(stage: Stage) -> None:
    """LIVE-CLOSE-1: a close with a code, without one, and with a reason; the server ends the TCP connection."""
    for data in (frame(CLOSE, closing(1000)), frame(CLOSE), frame(CLOSE, closing(4000, b"done"))):
        socket = await stage.dialed(stage.user)
        await socket.send_bytes(data, "close")
        await socket.wait_closed(ENDED_S)
        await socket.wait_tcp_end(TCP_ENDED_S, told=True)
        await socket.leave()


async def half_a_handshake(stage: Stage) -> None:
    """LIVE-HANDSHAKE-1."""
    socket = stage.raw_socket()
    await socket.half_handshake(stage.target.endpoint)
    await socket.wait_tcp_end(limits.HANDSHAKE_TIMEOUT_S + 5)
    await socket.leave()


async def a_silent_peer(stage: Stage) -> None:
    """LIVE-SILENCE-1: it reads, and answers nothing, not even pings."""
    session = await stage.somebody("silent")
    socket = stage.raw_socket(session)
    socket.answers_pings = False
    if await socket.dial(stage.target.endpoint, session.token, silent=True):
        await socket.wait_closed(limits.SILENCE_S_MAX + 4)
        await socket.wait_tcp_end(ENDED_S)
    await socket.leave()


async def an_idle_peer(stage: Stage) -> None:
    """LIVE-PING-1: it answers pings, so it lives on past the time that silence would have ended it."""
    session = await stage.somebody("idle")
    socket = await stage.dialed(session)
    await socket.wait_closed(limits.SILENCE_S_MAX + 4)
    await socket.leave()


async def a_peer_that_stops_reading(stage: Stage) -> None:
    """RT-SLOW-1: it is ended, and another connection gets everything meanwhile."""
    if stage.admin is None:
        return
    session = await stage.somebody("slow")
    slow = await stage.dialed(session)
    await slow.pause_reading()
    quick = await stage.dialed(session)
    text = "x" * 32_000
    count = 2 * limits.OUTBOX_MESSAGES_MAX
    for number in range(count):
        data = {"message": stage.named(f"slow {number} {text}"), "level": "info"}
        body = {"user_id": session.account_id, "type": "system", "data": data}
        await stage.ask(stage.admin, "ws_send", body=body)
    await quick.wait(lambda: len(quick.messages) > count, ENDED_S)
    await slow.resume_reading()
    await slow.wait_closed(limits.ABORT_AFTER_CLOSE_S + ENDED_S)
    await asyncio.sleep(0.1)
    await quick.leave()
    await slow.leave()


HEARTBEAT_S: Final = limits.SILENCE_S_MAX + 20.0
ACTS: Final = (
    Act(("REST-STATS-1",), connections_are_counted, socket=True, alone=True),
    Act(("RT-IGNORE-2",), invalid_messages_are_counted, socket=True, alone=True),
    Act(("REST-PUBLISH-1", "RT-HONEST-1", "REST-PUBLISH-3"), publishing, socket=True, alone=True),
    Act(("REST-STATS-2",), messages_are_counted, socket=True, alone=True),
    Act(("LIVE-SILENCE-1",), a_silent_peer, socket=True, slow=True, seconds_max=HEARTBEAT_S),
    Act(("LIVE-PING-1",), an_idle_peer, socket=True, slow=True, seconds_max=HEARTBEAT_S),
    Act(("LIVE-HANDSHAKE-1",), half_a_handshake, socket=True, slow=True),
    Act(("RT-CLOSE-1", "RT-CLOSE-2", "RT-CLOSE-3", "RT-CLOSE-4", "RT-FRAME-1"), what_ends_a_connection, socket=True),
    Act(("RT-CLOSE-3",), the_largest_message_allowed, socket=True),
    Act(("RT-CLOSE-5",), flooding, socket=True),
    Act(("RT-WELCOME-1", "RT-PONG-1"), welcome_and_pongs, socket=True),
    Act(("RT-IGNORE-1",), what_is_ignored, socket=True),
    Act(("REST-PUBLISH-2", "RT-HONEST-1"), refused_publishes, socket=True),
    Act(("LIVE-CLOSE-1",), a_close_handshake, socket=True),
    Act(("RT-SLOW-1",), a_peer_that_stops_reading, socket=True),
)
