"""Whether a target answers, asked before anything is written: of a run that can't begin there is no record."""

import asyncio
import time
from pathlib import Path
from typing import Final

from harness.client.shell import Endpoint, tls_context
from harness.conformance.raw_socket import RawSocket
from harness.history import Event, Recorder
from harness.targets.profiles import Profile
from harness.targets.remote import wait_healthy

UNTRUSTED: Final = "SSLCertVerificationError"


class TargetDownError(Exception):
    """The target can't be used at the start: nothing was judged."""


def check_healthy(profile: Profile) -> None:
    """Raise TargetDownError when the target's `GET /health` is not answered with 200."""
    status, why = asyncio.run(wait_healthy(profile.api, ca=Path(profile.ca) if profile.ca else None))
    if why:
        raise TargetDownError(f"the target {profile.api} can't be used: {why}; {hint(why)}")
    if status != 200:
        told = f"it runs, but answers GET /health with {status} where a target has to answer 200"
        raise TargetDownError(f"the target {profile.api} can't be used: {told}; see `harness list profiles`")


def check_socket(profile: Profile) -> None:
    """Raise TargetDownError when no handshake is answered at the target's socket, whatever else it lacks.

    Where the socket asks for no token, it has to open.
    """
    status, why = asyncio.run(_handshake(profile))
    if not status:
        raise TargetDownError(f"the socket {profile.socket_url} can't be used: {why}; {hint(why)}")
    if profile.auth == "none" and status != 101:
        told = f"its handshake was answered with {status}, and `auth` is none; does it want a token?"
        raise TargetDownError(f"the socket {profile.socket_url} can't be used: {told}")


def hint(why: str) -> str:
    """Return what to look at where nothing was answered: who shows a certificate that is not trusted does run."""
    return "give the CA of its certificate with --ca FILE" if UNTRUSTED in why else "is it running?"


async def _handshake(profile: Profile) -> tuple[int, str]:
    """Return the status of a handshake without a token, 0 and the reason when there was no answer."""
    events: list[Event] = []
    socket = RawSocket(Recorder("client", time.monotonic_ns, events.append), "first")
    tls = tls_context(profile.ca or None) if profile.socket_url.startswith("wss") else None
    try:
        opened = await socket.dial(Endpoint(profile.socket_url, "none", tls), None)
        refusals = [str(event.data.get("why", "")) for event in events if event.kind == "refused"]
        return 101 if opened else socket.refused or 0, "".join(refusals)
    finally:
        await socket.leave()
