"""Plays cases against a server of a test's own, each with a record of its own."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from harness.client.shell import Endpoint
from harness.conformance.raw_socket import RawSocket
from harness.conformance.rfc6455.acts import play_case
from harness.conformance.rfc6455.model import Case
from harness.history import Event, Recorder

AT_A_TIME = 40
PATIENCE_S = 1.5


def histories_with(
    cases: Sequence[Case],
    server: AbstractAsyncContextManager[Endpoint],
    patience_s: float = PATIENCE_S,
    *,
    greets: bool = True,
) -> dict[str, list[Event]]:
    """Play cases against a server, many at a time; return what each of them recorded."""
    histories: dict[str, list[Event]] = {case.name: [] for case in cases}

    async def play() -> None:
        turns = asyncio.Semaphore(AT_A_TIME)
        async with server as endpoint, asyncio.TaskGroup() as group:
            for case in cases:
                group.create_task(one(case, endpoint, turns))

    async def one(case: Case, endpoint: Endpoint, turns: asyncio.Semaphore) -> None:
        recorder = Recorder("client", time.monotonic_ns, histories[case.name].append)
        async with turns:
            await play_case(RawSocket(recorder, "raw"), endpoint, None, case, patience_s, greets=greets)

    asyncio.run(play())
    return histories
