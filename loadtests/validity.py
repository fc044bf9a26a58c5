"""Whether a load run counts: one whose generator was the bottleneck says nothing of the server, and is void.

Pure: takes what the processes recorded and the server's own counters, returns sentences. No sentence: the run counts.
"""

from typing import Final

from msgspec import Struct

from loadtests.ledger import Sums
from loadtests.plan import Plan
from loadtests.recording import (
    CONNECT,
    DELIVERY,
    LOOP_LAG,
    NS_PER_MS,
    SUBMIT,
    Sample,
    merged_ledger,
    merged_series,
)

LOOP_LAG_P99_MS_MAX: Final = 25
"""Half of the delivery budget (contract §8 P2): over it, a late figure may as well be the generator's."""
DELIVERIES_MIN: Final = 100
"""Below a hundred values the p99 is the maximum."""
CONNECTS_MIN: Final = 20
"""Below twenty values the p95 is the maximum."""
OFFERED_SHARE_MIN: Final = 0.95


class ServerCounters(Struct, frozen=True):
    """What the server says it put in outboxes and how often it accepted a socket, between two looks at its stats."""

    messages_sent: int
    connections: int


def check(plan: Plan, samples: list[Sample], counters: ServerCounters | None) -> list[str]:
    """Return why the run is void; `counters` None where others use the target too (contract §10 `exclusive`)."""
    if not samples:
        return ["no process left a sample: Locust ended before its users did"]
    ledger = merged_ledger(samples)
    found = [*_unreadable(ledger), *_users(plan, samples), *_sizes(samples, ledger), *_generator(plan, samples, ledger)]
    if not ledger.balanced:
        found.append(f"the ledger does not balance: {ledger}")
    return [*found, *(reconciled(ledger, counters) if counters is not None else ())]


def reconciled(ledger: Sums, counters: ServerCounters) -> list[str]:
    """Return where server and ledger disagree: what was sent was read, or is known to be lost."""
    if counters.messages_sent in (ledger.frames, ledger.frames + ledger.lost):
        return []
    sent, read = counters.messages_sent, ledger.frames
    why = "one of them counts wrongly, or somebody else used the target"
    return [f"the server sent {sent} messages, its users read {read} and miss {ledger.lost}: {why}"]


def _users(plan: Plan, samples: list[Sample]) -> list[str]:
    ready = sum(sample.users_ready for sample in samples)
    if ready == plan.users:
        return []
    faults = sorted({fault for sample in samples for fault in sample.faults})
    return [f"{ready} of {plan.users} users were ready: {'; '.join(faults) or 'the others never started'}"]


def _unreadable(ledger: Sums) -> list[str]:
    if not ledger.unreadable:
        return []
    told = f"{ledger.unreadable} messages could not be read" if ledger.received else "no push could be read"
    return [f"{told}: nobody can tell whose a push without query and status is; see RT-SCHEMA-1"]


def _sizes(samples: list[Sample], ledger: Sums) -> list[str]:
    series = merged_series(samples)
    found = []
    # Of pushes that can't be read there is no time to take, however long the load is.
    deliveries = () if ledger.unreadable else ((DELIVERY, DELIVERIES_MIN),)
    for name, least in (*deliveries, (CONNECT, CONNECTS_MIN)):
        count = series[name].count if name in series else 0
        if count < least:
            found.append(f"{count} values of {name}, expected {least} or more; use more users or more time")
    return found


def _generator(plan: Plan, samples: list[Sample], ledger: Sums) -> list[str]:
    series = merged_series(samples)
    found = []
    if LOOP_LAG not in series:
        return ["the generator's loop was not watched: the measured window never opened"]
    lag_ms = series[LOOP_LAG].quantile(0.99) / NS_PER_MS
    if lag_ms > LOOP_LAG_P99_MS_MAX:
        found.append(
            f"the generator's loop was late by {lag_ms:.1f} ms (p99), expected {LOOP_LAG_P99_MS_MAX} at most; "
            "use fewer users or a quieter machine"
        )
    offered = offered_tasks(plan)
    begun = series[SUBMIT].count if SUBMIT in series else 0
    if begun < OFFERED_SHARE_MIN * offered:
        found.append(f"{begun} of {offered} tasks were submitted and answered; the rate offered was not achieved")
    if ledger.undecided and not ledger.unreadable:
        found.append(f"{ledger.undecided} pushes are undecided: a connection was cut or a submit had no answer")
    return found


def offered_tasks(plan: Plan) -> int:
    """Return how many tasks the schedule holds over all users: each starts one in every period that it is due in."""
    period, duration = plan.scenario.period_s, plan.duration_s
    return sum(_starts(duration - period * number / plan.users, period) for number in range(plan.users))


def _starts(left_s: float, period_s: float) -> int:
    return max(0, -int(-left_s // period_s))
