"""Run a saved script again: on virtual time, or over sockets against a server or a URL."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.checkers.base import RunFacts
from harness.history import Event, Recorder, merged
from harness.judge import judge
from harness.targets.local import FAST_TASKS, LocalTarget
from harness.targets.profiles import read_target
from harness.targets.remote import RemoteTarget
from harness.verdicts import Status

if TYPE_CHECKING:
    from scenarios.model import Script


def read_script(path: Path) -> "Script":
    """Return the script of a file; raises ValueError with one sentence."""
    from scenarios.model import decode_script

    try:
        return decode_script(path.read_bytes())
    except OSError as fault:
        raise ValueError(f"script {str(path)!r} can't be read: {fault.strerror}") from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ValueError(f"script {str(path)!r} is no script: {fault}") from fault


def replay_simulated(script: "Script") -> dict[str, str]:
    """Return what is violated on virtual time: clause and sentence."""
    from harness.simulate import replay

    return replay(script).violated


def replay_over_sockets(script: "Script", target: str | None) -> dict[str, str]:
    """Return what is violated over sockets; raises ServerDownError, ProfileError."""
    from harness.simulate import replay_on

    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    lent: RemoteTarget
    if target is not None:
        lent = RemoteTarget(read_target(target), recorder, seed=script.seed, run=f"{time.time_ns():x}")
    else:
        options = ("--limits", "off", *FAST_TASKS)
        lent = LocalTarget(recorder, seed=script.seed, mutant=script.mutant, options=options, tap_sink=events.append)
    try:
        replay_on(lent, script, lent.run_name)
    finally:
        lent.end()
    has_tap = any(event.kind == "accepted" for event in events)
    facts = RunFacts(seed=script.seed, target=lent.name, local=target is None, has_tap=has_tap)
    judged = judge(merged(events), facts, capabilities=lent.capabilities)
    return {result.id: result.why for result in judged.results if result.status is Status.VIOLATED}
