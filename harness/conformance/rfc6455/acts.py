"""Plays the tables: each theme's cases side by side, as many at a time as the target allows."""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from typing import Final

from harness.checkers.expectations import expect
from harness.client.rest import RecordedSession, bearer
from harness.client.shell import Endpoint, dressed
from harness.conformance.raw_socket import RawSocket
from harness.conformance.rfc6455 import closing, fragmentation, framing, limits, opening, pings, utf8
from harness.conformance.rfc6455.model import CASE_BOUNDS, Case, Opening
from harness.conformance.rfc6455.speech import asked_of, probed, speech_of
from harness.conformance.stage import NoSocketError, Stage
from harness.conformance.suite import Act, permitted
from harness.targets.manners import TooManyConnectionsError
from reference_server.contract import limits as limits_of_contract

CASES: Final[tuple[Case, ...]] = (
    *opening.CASES, *framing.CASES, *fragmentation.CASES, *pings.CASES, *utf8.CASES, *closing.CASES, *limits.CASES,
)  # fmt: skip
PARALLEL_MAX: Final = 12
SPARED: Final = 3
"""Connections that slow acts of other parts may hold meanwhile."""
ENDED_S: Final = 6.0
OVERTAKEN_S: Final = 1.0
CUT_S_MAX: Final = limits_of_contract.ABORT_AFTER_CLOSE_S + 2.0
"""More than a judge wants to have seen before it calls an end missing."""

DEAD_MAX: Final = PARALLEL_MAX
"""So many sockets that did not open, and none that did: the rest of a theme would not open either."""

THEME_S_MAX: Final = 60.0


async def play_case(
    socket: RawSocket,
    endpoint: Endpoint,
    session: RecordedSession | None,
    case: Case,
    patience_s: float = ENDED_S,
    *,
    greets: bool = True,
) -> bool:
    """Play one case on a socket not dialed yet; False when it should have opened and did not.

    `patience_s` is how long is waited for what does not come; less than a row's `within_ms` leaves it undecided.
    `greets`: the target sends a first message, which is waited for.
    """
    try:
        return await _played(socket, endpoint, session, case, patience_s, greets)
    except asyncio.CancelledError:
        # The time of its theme was over: what did not come yet might have come.
        socket.tell_cut("the case was canceled before its end")
        raise


async def _played(
    socket: RawSocket,
    endpoint: Endpoint,
    session: RecordedSession | None,
    case: Case,
    patience_s: float,
    greets: bool,
) -> bool:
    token = session.token if session is not None else ""
    known = case.opening or Opening()
    url, protocols, own = dressed(endpoint, token) if token else (endpoint.url, (), ())
    if known.offers is not None and token:
        url, protocols, own = endpoint.url, (), bearer(token)
    dialed = await socket.dial(
        endpoint,
        None,
        case=f"{case.clause}/{case.name}",
        expect=expect(**case.expect, sends=bool(case.sends)),
        request=known.request(url, own, protocols),
        session=session.label if session is not None else None,
    )
    if known.behind and dialed:
        socket.tell_sent("behind the handshake", len(known.behind))
    if dialed and case.opens:
        if greets:
            # One that lacks is the fault of another clause: what the case is about is seen all the same.
            await socket.wait_welcome()
        if not socket.ended:
            await _converse(socket, case, patience_s)
    await socket.leave()
    return dialed or not case.opens


async def _converse(socket: RawSocket, case: Case, patience_s: float) -> None:
    socket.answers_closes = case.ending != "never"
    if case.pace:
        await socket.send_paced(case.sends, "case", case.pace)
    else:
        await socket.send_pieces(case.sends, "case")
    if case.expect.get("close_code"):
        # One that overlooks a fault answers the probe: then there is nothing to wait for.
        unwanted = "receives_none" in case.expect
        await socket.wait(lambda: socket.ended or (unwanted and probed(socket)), patience_s)
        if socket.ended and case.ending == "never":
            await socket.wait_cut(CUT_S_MAX)
        elif socket.ended and case.ending:
            await socket.wait_tcp_end(CUT_S_MAX, told=True)
        elif socket.ended:
            # What is answered behind a close frame is read, too.
            await socket.wait_tcp_end(OVERTAKEN_S)
        return
    if "receives" in case.expect:
        await socket.wait(lambda: socket.ended or probed(socket), patience_s)
        patience_s = OVERTAKEN_S
    pongs = case.expect.get("pongs") or ()
    if pongs:
        # A peer that answers pings and texts by different ways may overtake itself.
        await socket.wait(lambda: socket.ended or socket.pongs[-1:] == [bytes.fromhex(pongs[-1])], patience_s)


async def play_cases(stage: Stage, cases: Sequence[Case]) -> None:
    """Play what the target permits of a table; raises NoSocketError when nothing of it opened, or the target floods.

    What opens nothing, or floods every connection, is not asked hundreds of times more.
    """
    stage.target.watch_lag()
    # Two people have twice the handshakes a second.
    people = cycle(stage.people or (None,))
    speech = await speech_of(stage, next(people))
    known = [asked_of(case, speech) for case in cases if permitted((case.clause,), stage.capabilities)]
    chosen = [case for case in known if case is not None]
    free = stage.capabilities.connections_max - len(stage.target.connections) - SPARED
    turns = asyncio.Semaphore(max(1, min(PARALLEL_MAX, free)))
    dead: list[str] = []
    alive: list[str] = []

    def given_up() -> bool:
        return bool(stage.floods) or (len(dead) >= DEAD_MAX and not alive)

    async def play(case: Case, session: RecordedSession | None) -> None:
        async with turns:
            # Looked at twice: hundreds of turns take half a minute, and much is seen while one waits for its own.
            if not given_up():
                await stage.handshake_turn(session)
            if given_up():
                return
            socket = stage.raw_socket(session, CASE_BOUNDS)
            opened = await play_case(socket, stage.target.endpoint, session, case, greets=speech.greets)
            if case.opens:
                (alive if opened else dead).append(case.name)
            stage.open_sockets.remove(socket)
            stage.cases_played += 1

    try:
        async with asyncio.TaskGroup() as group:
            for case in chosen:
                group.create_task(play(case, next(people)))
    except* TooManyConnectionsError as faults:
        raise NoSocketError(f"a socket was not dialed: {faults.exceptions[0]}") from faults
    if stage.floods:
        raise NoSocketError(stage.floods)
    if dead and not alive:
        raise NoSocketError(f"none of {len(dead)} sockets opened")


async def the_opening_handshake(stage: Stage) -> None:
    """RT-UPGRADE-1 to 3."""
    await play_cases(stage, opening.CASES)


async def base_framing(stage: Stage) -> None:
    """RT-CLOSE-4, RT-CLOSE-1, RT-PONG-1."""
    await play_cases(stage, framing.CASES)


async def messages_in_fragments(stage: Stage) -> None:
    """RT-CLOSE-4, RT-CLOSE-6, RT-IGNORE-1, RT-PING-1, RT-PONG-1."""
    await play_cases(stage, fragmentation.CASES)


async def pings_and_pongs(stage: Stage) -> None:
    """RT-PING-1, RT-CLOSE-4."""
    await play_cases(stage, pings.CASES)


async def text_is_utf8(stage: Stage) -> None:
    """RT-CLOSE-2, RT-IGNORE-1."""
    await play_cases(stage, utf8.CASES)


async def the_closing_handshake(stage: Stage) -> None:
    """RT-CLOSE-6, RT-CLOSE-4, RT-CLOSE-2, LIVE-CLOSE-1."""
    await play_cases(stage, closing.CASES)


async def sizes_and_floods(stage: Stage) -> None:
    """RT-CLOSE-3, RT-CLOSE-5, RT-PONG-1."""
    await play_cases(stage, limits.CASES)


def _clauses(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(sorted({case.clause for case in cases}))


ACTS: Final = tuple(
    Act(_clauses(cases), play, socket=True, seconds_max=THEME_S_MAX)
    for play, cases in (
        (the_opening_handshake, opening.CASES),
        (base_framing, framing.CASES),
        (messages_in_fragments, fragmentation.CASES),
        (pings_and_pongs, pings.CASES),
        (text_is_utf8, utf8.CASES),
        (the_closing_handshake, closing.CASES),
        (sizes_and_floods, limits.CASES),
    )
)
