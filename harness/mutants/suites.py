"""Mutants that rows and acts of the conformance suites must see: each is served in this process and asked by them.

Only what exercises the mutant's clauses is played, so that one takes a fraction of a second; the honest server is asked
all of it, and may not be accused.
"""

import time
from collections.abc import Collection
from typing import Final

from harness.checkers.base import RunFacts
from harness.conformance.catalog import ACTS, ROWS
from harness.conformance.suite import Act, Row, Stage, chosen_acts, chosen_rows, play_all
from harness.history import Event, Recorder, merged
from harness.judge import Scope, judge
from harness.mutants.inside import InsideTarget
from harness.mutants.matrix import Kill
from harness.mutants.model import Mutant
from harness.mutants.parts import HONEST, Parts
from harness.targets.profiles import OWN
from harness.verdicts import Status

DEPTH: Final = "standard"
PARTS: Final = ("rest", "security")
SOCKETED: Final = ("stage.dialed(", "raw_socket(", "exchange(", "_watched(", "open_tab(")
"""What an act that needs a socket does, in its own text."""


def violated_inside(parts: Parts, clauses: Collection[str] = (), seed: int = 1) -> dict[str, str]:
    """Serve these parts in this process, ask what exercises the clauses (or everything); return what was violated."""
    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    target = InsideTarget(recorder, parts, seed=seed, run=f"m{seed}")
    try:
        target.run(_played(target, clauses, seed))
    finally:
        target.end()
    judgement = judge(merged(events), RunFacts(depth=DEPTH), scope=Scope(DEPTH), capabilities=OWN)
    return {result.id: result.why for result in judgement.results if result.status is Status.VIOLATED}


async def _played(target: InsideTarget, clauses: Collection[str], seed: int) -> None:
    await target.start()
    stage = Stage(target, seed=seed, run=target.run_name)
    await stage.set_up()
    rows, acts = exercises_of(clauses)
    able = target.capabilities
    try:
        await play_all(stage, chosen_rows(rows, DEPTH, able), chosen_acts(acts, DEPTH, able))
    finally:
        await target.close()


def exercises_of(clauses: Collection[str]) -> tuple[list[Row], list[Act]]:
    """Return the rows and acts without sockets that exercise these clauses; all of them for none."""
    rows = [row for part in PARTS for row in ROWS.get(part, ()) if not clauses or row.clause in clauses]
    acts = [act for part in PARTS for act in ACTS[part] if not clauses or set(act.clauses) & set(clauses)]
    return rows, [act for act in acts if not _needs_a_socket(act)]


def _needs_a_socket(act: Act) -> bool:
    import inspect

    source = inspect.getsource(act.play)
    return any(word in source for word in SOCKETED)


def honest_violations(seed: int = 1) -> dict[str, str]:
    """Return what the honest server is accused of when all of it is played: nothing, or the judges are wrong."""
    return violated_inside(HONEST, (), seed)


def kill_inside(mutant: Mutant, seed: int = 1) -> Kill:
    """Serve a mutant in this process and ask what exercises its clauses: killed when each of them is violated."""
    began = time.perf_counter()
    violated = violated_inside(mutant.parts, mutant.killed_by, seed)
    killed = set(mutant.killed_by) <= violated.keys()
    found = (1, time.perf_counter() - began) if killed else (None, None)
    counted = dict.fromkeys(sorted(violated), 1)
    return Kill(mutant.name, mutant.sentence, mutant.killed_by, counted, 1, found[0], found[1])
