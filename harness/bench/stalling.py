"""Stalled readers: they read their welcome, and then nothing while messages for them go on (contract §5c).

In the end they read what is there: it must be a gapless prefix of what was sent.
"""

import asyncio
import socket
from itertools import count as numbers
from itertools import cycle, islice
from typing import Final

import httpx

from harness.bench.accounts import account_of
from harness.bench.load import MARK
from harness.bench.misdeeds import Count, Plan
from harness.bench.numbering import NUMBERED, number_of
from harness.bench.tabs import LEAVE_S_MAX, Tab, wait_gone
from reference_server.contract.limits import ABORT_AFTER_CLOSE_S
from reference_server.contract.operations import BASE

STALLED_ACCOUNTS: Final = 4
STALLED_MESSAGE: Final = "x" * 32_000
STALLED_SENDS_MAX: Final = 2_000
"""Ten times what outbox, send buffer and kernel take of a peer that reads nothing."""
RECEIVE_BUFFER_BYTES: Final = 4096


class Staller(Tab):
    """A socket whose messages must come as a gapless prefix of what was sent."""

    last = 0
    gaps = 0

    def text(self, payload: bytes, now_ns: int) -> None:  # noqa: ARG002 - as in Tab
        """Hold a message to the one before it."""
        number = number_of(payload)
        self.gaps += number != self.last + 1
        self.last = number


async def stalled(plan: Plan, count: Count) -> None:
    """Read the welcome and nothing else while messages go on, until the server has closed every one; read then."""
    stallers = [Staller(token) for token in islice(cycle(plan.tokens[:STALLED_ACCOUNTS]), plan.peers)]
    stallers = [staller for staller in stallers if await _stalled(plan, staller, count)]
    count.messages += await asyncio.to_thread(_filled, plan)
    # Every other one wakes in time to read the close frame behind what it has; the rest are aborted before.
    _wake(stallers[::2])
    await asyncio.sleep(ABORT_AFTER_CLOSE_S)
    _wake(stallers[1::2])
    for staller in stallers:
        if not await wait_gone(staller, LEAVE_S_MAX):
            count.fault("a stalled reader was not ended")
        count.end(await staller.gone)
        if staller.gaps:
            count.fault("what a stalled reader got has gaps")


def _wake(stallers: list[Staller]) -> None:
    for staller in stallers:
        if staller.transport is not None and not staller.transport.is_closing():
            staller.transport.resume_reading()


async def _stalled(plan: Plan, staller: Staller, count: Count) -> bool:
    loop = asyncio.get_running_loop()
    plug = socket.socket()
    plug.setblocking(False)
    # Before it connects: a window once offered is not taken back.
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    await loop.sock_connect(plug, (plan.host, plan.port))
    transport, _ = await loop.create_connection(lambda: staller, sock=plug)
    welcomed = None
    try:
        async with asyncio.timeout(LEAVE_S_MAX):
            welcomed = await asyncio.shield(staller.welcomed)
    except TimeoutError:
        staller.fault = f"no welcome within {LEAVE_S_MAX:g} s"
    if not count.welcome(welcomed, staller):
        transport.abort()
        return False
    transport.pause_reading()
    return True


def _filled(plan: Plan) -> int:
    """Send to the stalled accounts until nobody hears any more; return how many messages were queued for them."""
    queued = 0
    headers = {"Authorization": f"Bearer {plan.admin}"}
    accounts = [account_of(token) for token in plan.tokens[:STALLED_ACCOUNTS]]
    with httpx.Client(base_url=f"http://{plan.host}:{plan.port}{BASE}", headers=headers) as client:
        for number in islice(numbers(1), STALLED_SENDS_MAX):
            data = {"message": NUMBERED.replace(MARK.decode(), f"{number:08}") + STALLED_MESSAGE, "level": "info"}
            recipients = 0
            for account in accounts:
                body = {"user_id": account, "type": "system", "data": data}
                recipients += client.post("/ws/send", json=body).raise_for_status().json()["recipients"]
            if not recipients:
                break
            queued += recipients
    return queued
