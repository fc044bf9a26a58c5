"""What a run will do to a target, told in lines for a person before anything is done (contract §10).

Only what the chosen parts do; and a run that nobody could sign in for is refused here, before there is a record of it.
"""

from collections.abc import Collection
from typing import Final

from harness.conformance.catalog import PARTS
from harness.conformance.rfc6455.acts import CASES, PARALLEL_MAX
from harness.targets.profiles import NOBODY, Profile
from harness.verify.options import UsageError

RFC6455: Final = "rfc6455"
FLOODING: Final = ("security", "socket", RFC6455)
PUBLISHING: Final = ("rest", "security", "socket", "scenario")


def wants_people(profile: Profile | None, parts: Collection[str]) -> bool:
    """Say whether anybody must be signed in: not for bytes on a socket that asks for no token."""
    return profile is None or profile.auth != "none" or set(parts) != {RFC6455}


def check_can_begin(profile: Profile, parts: Collection[str] = PARTS) -> None:
    """Raise UsageError when the chosen parts act as somebody and the profile lets nobody in."""
    if wants_people(profile, parts) and not profile.accounts and "accounts" not in profile.capabilities().grants:
        raise UsageError(f"the target {profile.api} {NOBODY}")


def plan_of(profile: Profile, parts: Collection[str] = PARTS) -> list[str]:
    """Return what the chosen parts will do to the target."""
    able, chosen = profile.capabilities(), set(parts)
    lines = [f"target {profile.api} (socket {profile.socket_url}, token by {profile.auth})"]
    if wants_people(profile, parts):
        lines += _signing_in(profile)
    if RFC6455 in chosen:
        lines.append(f"opens {len(CASES)} sockets or so, {PARALLEL_MAX} at a time, and sends what RFC 6455 forbids")
    if "tasks" in able.grants and chosen != {RFC6455}:
        lines.append("submits tasks; unfinished ones are canceled at the end")
    if "publish" in able.grants and profile.admin and chosen & set(PUBLISHING):
        lines.append("publishes test messages to everyone connected, as the admin")
    if "flood" in able.grants and chosen & set(FLOODING):
        what = "frames" if chosen == {RFC6455} else "many calls, handshakes and frames"
        lines.append(f"floods limits: {what} for a few seconds")
    lines.append(f"holds at most {_connections(able.connections_max, chosen)} connections at a time")
    if profile.rate_limit is not None and wants_people(profile, parts):
        lines.append(f"keeps to {profile.rate_limit:g} calls a second")
    return lines


def _signing_in(profile: Profile) -> list[str]:
    if "accounts" in profile.capabilities().grants:
        return ["registers accounts; they can't be removed and are listed at the end"]
    if profile.accounts:
        return [f"logs in with the profile's {len(profile.accounts)} accounts and registers none"]
    return [NOBODY]


def _connections(allowed: int, parts: set[str]) -> int:
    return min(allowed, PARALLEL_MAX) if parts == {RFC6455} else allowed
