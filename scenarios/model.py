"""What a scenario is: people, and a flat list of steps in lanes. Data only; a runner brings it to life at any tier.

Steps of one lane run one after another, lanes run at the same time, and a `Phase` is a barrier for all of them.
A failing script is the same list, shrunk, as JSON.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct


class Step(Struct, frozen=True, tag_field="do", omit_defaults=True, kw_only=True):
    """One thing that happens, in its lane."""

    lane: str = "main"


class SignUp(Step, frozen=True, tag="sign_up", kw_only=True):
    """`who` registers and signs in."""

    who: str


class OpenTab(Step, frozen=True, tag="open_tab", kw_only=True):
    """`who` opens a live client and waits for its welcome."""

    who: str
    tab: str


class Submit(Step, frozen=True, tag="submit", kw_only=True):
    """`who` submits a task, from now on called `task`; `simulate` steers the executor where the target can."""

    who: str
    task: str
    query: str
    budget: float = 10.0
    priority: str = "normal"
    timeout_s: float = 30.0
    simulate: dict[str, Any] = {}


class Cancel(Step, frozen=True, tag="cancel", kw_only=True):
    """`who` cancels `task`; 409 when it was finished already is an answer like any other."""

    who: str
    task: str


class Read(Step, frozen=True, tag="read", kw_only=True):
    """`who` reads `task`, or the first page of their tasks when it names none."""

    who: str
    task: str = ""


class Watch(Step, frozen=True, tag="watch", kw_only=True):
    """Wait until `tab` saw `task` in one of `until` (REST decides where a push was missed while it was away)."""

    tab: str
    task: str
    until: tuple[str, ...] = ("completed", "failed", "canceled")
    deadline_s: float = 20.0


class RegisterAgent(Step, frozen=True, tag="register_agent", kw_only=True):
    """`who` registers an agent, from now on called `agent`, that does what tasks ask for at this price."""

    who: str
    agent: str
    price: float


class ChangeAgent(Step, frozen=True, tag="change_agent", kw_only=True):
    """`who` changes `agent`: `changes` are the fields of the contract's request."""

    who: str
    agent: str
    changes: dict[str, Any]


class DeleteAgent(Step, frozen=True, tag="delete_agent", kw_only=True):
    """`who` deletes `agent`; what it had in hand goes to another."""

    who: str
    agent: str


class Deploy(Step, frozen=True, tag="deploy", kw_only=True):
    """`who` deploys `agent`, whoever owns it; what comes of it is called `deployment`. 404 when it is gone."""

    who: str
    agent: str
    deployment: str


class StopDeployment(Step, frozen=True, tag="stop_deployment", kw_only=True):
    """`who` stops `deployment`, which may be stopped already."""

    who: str
    deployment: str


class Broadcast(Step, frozen=True, tag="broadcast", kw_only=True):
    """The admin publishes a system message to everyone; skipped with a note where the target lacks an admin."""

    text: str


class Cut(Step, frozen=True, tag="cut", kw_only=True):
    """Fault: the transport of `tab` is lost; its client reconnects by itself."""

    tab: str


class CloseTab(Step, frozen=True, tag="close_tab", kw_only=True):
    """`tab` leaves deliberately."""

    tab: str


class Sleep(Step, frozen=True, tag="sleep", kw_only=True):
    """Let time pass, up to `seconds`, drawn from the seed when `drawn`."""

    seconds: float
    drawn: bool = False


class Phase(Step, frozen=True, tag="phase", kw_only=True):
    """A barrier: every lane ends what it does, then the run is in this phase."""

    name: Literal["faults", "healed", "quiet"]


AgentStep = RegisterAgent | ChangeAgent | DeleteAgent | Deploy | StopDeployment
AnyStep = SignUp | OpenTab | Submit | Cancel | Read | Watch | AgentStep | Broadcast | Cut | CloseTab | Sleep | Phase


class Scenario(Struct, frozen=True, kw_only=True):
    """A named scenario; `seconds_max` bounds a run of it, `needs` and `grants` are the contract's (§10)."""

    name: str
    summary: str
    people: tuple[str, ...]
    steps: tuple[AnyStep, ...]
    seconds_max: float = 60.0
    needs: tuple[str, ...] = ()
    grants: tuple[str, ...] = ("accounts", "tasks")


class Script(Struct, frozen=True, kw_only=True):
    """A failing run made small, to be replayed: the scenario as it ran, its seed, and what it showed."""

    format: int = 1
    scenario: Scenario
    seed: int
    clause: str
    mutant: str = ""


def encode_script(script: Script) -> bytes:
    """Return the script as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(script), indent=2) + b"\n"


def decode_script(text: bytes) -> Script:
    """Return the script; raises msgspec.DecodeError or ValidationError saying where it is wrong."""
    return msgspec.json.decode(text, type=Script)
