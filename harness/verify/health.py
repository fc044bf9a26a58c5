"""Whether a target answers, asked before anything is written: of a run that can't begin there is no record."""

import asyncio
from pathlib import Path

from harness.targets.profiles import Profile
from harness.targets.remote import wait_healthy


class TargetDownError(Exception):
    """The target can't be used at the start: nothing was judged."""


def check_healthy(profile: Profile) -> None:
    """Raise TargetDownError when the target does not answer."""
    why = asyncio.run(wait_healthy(profile.api, ca=Path(profile.ca) if profile.ca else None))
    if why:
        raise TargetDownError(f"the target {profile.api} can't be used: {why}; is it running?")
