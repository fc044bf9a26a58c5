"""What a load run is asked to do: the scenario as data, and the plan that crosses to Locust's process as one JSON text.

No number of a run stands elsewhere: rates, waits and bounds are fields here, with their unit in the name.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

PLAN_VARIABLE: Final = "ZEROSTATE_LOAD_PLAN"


class LoadScenario(Struct, frozen=True, kw_only=True):
    """What every virtual user does: a task each `period_s`, on an absolute schedule spread over the users.

    `constraints` steer the executor where the target can (contract §4) and are ignored where it can't.
    `registrations_per_s` stays below what two hashing threads make (argon2id, about 21 ms each).
    """

    name: str
    summary: str
    period_s: float = 1.0
    budget: float = 1_000.0
    constraints: dict[str, Any] = {}
    registrations_per_s: float = 25.0
    connects_per_s: float = 50.0
    ended_within_s: float = 10.0
    ready_within_s: float = 120.0


class Plan(Struct, frozen=True, kw_only=True):
    """One run of a scenario: how many users, for how long, against what, recorded where.

    `run` names everything that is made on the target (`zsh-<run>-…`); `fan_out` is how many connections a push goes to;
    `attempt` names the recorder, so that a second attempt writes beside the first.
    """

    scenario: LoadScenario
    users: int
    duration_s: float
    target_url: str
    run_dir: str
    run: str
    seed: int
    fan_out: int = 1
    ca: str = ""
    attempt: int = 1

    @property
    def ramp_s(self) -> float:
        """How long registering and connecting take at the scenario's rates."""
        return self.users / self.scenario.registrations_per_s + self.users / self.scenario.connects_per_s

    @property
    def longest_s(self) -> float:
        """The bound after which Locust ends the run whatever happens."""
        return self.scenario.ready_within_s + self.ramp_s + self.duration_s + self.scenario.ended_within_s + 30


def encode_plan(plan: Plan) -> str:
    """Return the plan as one line of JSON."""
    return msgspec.json.encode(plan).decode()


def plan_from(environment: Mapping[str, str] = os.environ) -> Plan:
    """Return the plan that the runner left in the environment; raises ValueError when there is none."""
    text = environment.get(PLAN_VARIABLE)
    if not text:
        raise ValueError(f"{PLAN_VARIABLE} is not set, expected a plan; start a load run with `harness load`")
    return msgspec.json.decode(text, type=Plan)
