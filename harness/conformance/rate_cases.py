"""Limits from outside: more than the allowance is offered until it is refused (contract §2 limits).

Offered at once and unpaced, since an honest bucket refills while one waits. A target is accused only when more was
answered than any bucket of the contract's size could have let pass; a machine too slow to offer that leaves the clause
unknown. Proof that a limit holds is a 429 and what follows it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from harness.checkers.expectations import expect
from harness.client.rest import RecordedSession, Request
from harness.conformance.stage import NotAcceptedError, Stage
from harness.conformance.suite import Act
from harness.targets.manners import retry_after_s
from reference_server.contract import limits
from reference_server.contract.operations import BASE

CALLS_AT_ONCE: Final = 24
HANDSHAKES_AT_ONCE: Final = 6
UNLIMITED_AT_ONCE: Final = 4
OFFER_S_MAX: Final = 60.0
RATE_ACT_S_MAX: Final = 180.0
CERTAIN: Final = 1.1
ENOUGH: Final = 2.0
"""From `CERTAIN` times what a bucket lets pass an honest one has refused some; `ENOUGH` ends the offering."""

BETWEEN_S: Final = 0.2
"""Added to Retry-After: the answer was made some time before it was read, and another call of ours may be due."""

Offer = Callable[[], Awaitable[tuple[int, Mapping[str, str]]]]


class Allowance:
    """What a bucket could have let pass since the offering began; only what exceeds it is certain to be over it."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self.answered = 0
        self.elapsed_s = 0.0

    @property
    def times(self) -> float:
        """How many times as much was answered as the bucket holds and got."""
        return self.answered / (self._burst + self._per_s * self.elapsed_s)

    def told(self) -> str:
        """Return in words what was offered."""
        return f"{self.answered} in {self.elapsed_s:.1f} s, {self.times:.2f} times what the allowance lets pass"


async def offered(offer: Offer, allowance: Allowance, at_once: int) -> Mapping[str, str] | None:
    """Offer until a 429 comes and return its headers; None when none came though the allowance was exceeded.

    Raises NotAcceptedError when the machine or the target was too slow to exceed it.
    """
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    while allowance.elapsed_s < OFFER_S_MAX and allowance.times < ENOUGH:
        answers = await asyncio.gather(*(offer() for _ in range(at_once)))
        allowance.elapsed_s = loop.time() - started_s
        refused = next((headers for status, headers in answers if status == 429), None)
        if refused is not None:
            return refused
        allowance.answered += sum(0 < status < 500 for status, _ in answers)
    if allowance.times < CERTAIN:
        raise NotAcceptedError(f"too slow to exceed the refill: {allowance.told()}")
    return None


async def calls_over_the_allowance(stage: Stage) -> None:
    """SEC-RATE-1 for an account: over the bucket 429, and a call after Retry-After succeeds."""
    _may_hurry(stage)
    session, client = await stage.newcomer("caller"), stage.target.unpaced
    refused = await _calls_offered(stage, session, limits.RATE_PER_MINUTE_ACCOUNT)
    if refused is None:
        await stage.ask(session, "me", "SEC-RATE-1/account-over", client=client, status=[429])
        return
    await _waited(stage, refused)
    await stage.ask(session, "me", "SEC-RATE-1/account-after", client=client, status=[200])


async def unnamed_calls_over_the_allowance(stage: Stage) -> None:
    """SEC-RATE-1 and SEC-RATE-3 for an address: over the bucket 429, and a login after Retry-After succeeds."""
    _may_hurry(stage)
    person, client = (await stage.newcomer("patient")).person, stage.target.unpaced
    refused = await _calls_offered(stage, None, limits.RATE_PER_MINUTE_ADDRESS)
    if refused is None:
        await stage.ask(None, "me", "SEC-RATE-1/address-over", client=client, status=[429])
        return
    await _what_is_not_limited(stage)
    await _waited(stage, refused)
    body = {"email": person.email, "password": person.password}
    # Away from here others may share our address, and with it the one call that Retry-After promised.
    allowed = [200] if stage.target.profile.loopback else [200, 429]
    await stage.ask(None, "login", "SEC-RATE-1/address-after", client=client, body=body, status=allowed)


async def _calls_offered(stage: Stage, session: RecordedSession | None, per_minute: int) -> Mapping[str, str] | None:
    """Offer calls in somebody's name, or nobody's, to a bucket as large as a minute's allowance."""

    async def call() -> tuple[int, Mapping[str, str]]:
        answer = await stage.ask(session, "me", client=stage.target.unpaced)
        return answer.status, answer.headers

    return await offered(call, Allowance(per_minute, per_minute / 60), CALLS_AT_ONCE)


async def handshakes_over_the_allowance(stage: Stage) -> None:
    """SEC-RATE-2: over the bucket 429, calls go on, and a handshake after Retry-After succeeds."""
    _may_hurry(stage)
    session = await stage.newcomer("knocker")
    endpoint = stage.target.endpoint

    async def knock() -> tuple[int, Mapping[str, str]]:
        socket = stage.raw_socket(session)
        opened = await socket.dial(endpoint, session.token)
        await socket.abort()
        stage.open_sockets.remove(socket)
        return 101 if opened else socket.refused or 0, socket.answer_headers

    at_once = min(HANDSHAKES_AT_ONCE, stage.capabilities.connections_max)
    refused = await offered(knock, Allowance(limits.HANDSHAKE_BURST, limits.HANDSHAKES_PER_S), at_once)
    last = stage.raw_socket(session)
    if refused is None:
        await last.dial(endpoint, session.token, case="SEC-RATE-2/over", expect=expect(status=[429]))
        await last.abort()
        return
    await stage.ask(session, "me", "SEC-RATE-2/of-its-own", status=[200])
    await _waited(stage, refused)
    await last.dial(endpoint, session.token, case="SEC-RATE-2/after", expect=expect(opens=True))
    await last.leave()


async def _what_is_not_limited(stage: Stage) -> None:
    """SEC-RATE-3, while the address is refused: a preflight is answered, and so is what stands at the root.

    Each is sent several times at once: one alone could take the call that the bucket got back meanwhile.
    """
    client, row = stage.target.unpaced, expect(status=[200, 204])
    for name, method, path in (("preflight", "OPTIONS", f"{BASE}/users/me"), ("health", "GET", "/health")):
        sending = (
            client.send(Request(method=method, path=path), case=f"SEC-RATE-3/{name}", expect=row)
            for _ in range(UNLIMITED_AT_ONCE)
        )
        await asyncio.gather(*sending)


def _may_hurry(stage: Stage) -> None:
    pace = stage.target.profile.rate_limit
    if pace is not None:
        raise NotAcceptedError(f"the profile's rate_limit of {pace:g} calls a second leaves no limit to be exceeded")


async def _waited(stage: Stage, refused: Mapping[str, str]) -> None:
    after_s = retry_after_s(refused)
    if after_s is None:
        raise NotAcceptedError("a 429 has no Retry-After in whole seconds")
    await stage.target.sleep(after_s + BETWEEN_S)


ACTS: Final = (
    Act(("SEC-RATE-2",), handshakes_over_the_allowance, place="limits", socket=True, seconds_max=RATE_ACT_S_MAX),
    Act(("SEC-RATE-1", "REST-ERR-3"), calls_over_the_allowance, place="limits", seconds_max=RATE_ACT_S_MAX),
    Act(("SEC-RATE-1", "SEC-RATE-3"), unnamed_calls_over_the_allowance, place="limits", seconds_max=RATE_ACT_S_MAX),
)
