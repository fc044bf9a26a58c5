"""Mutants that rows and acts of the conformance suites must see: served in this process, or as one over sockets.

Only what exercises the mutant's clauses is played, so that one takes a fraction of a second; the honest server is asked
all of it, and may not be accused.
"""

import time
from collections.abc import Collection, Coroutine, Sequence
from typing import Any, Final

from harness.checkers.base import RunFacts
from harness.conformance.catalog import ACTS, ROWS
from harness.conformance.stage import Stage
from harness.conformance.suite import Act, Place, Row, chosen_acts, chosen_rows, play_all
from harness.history import Event, Recorder, merged
from harness.judge import Scope, judge
from harness.mutants.inside import InsideTarget
from harness.mutants.matrix import Kill
from harness.mutants.model import Mutant
from harness.mutants.parts import HONEST, Parts
from harness.targets.local import LocalTarget
from harness.targets.profiles import OWN
from harness.targets.remote import RemoteTarget
from harness.verdicts import Status
from reference_server.contract.clauses import Kind
from reference_server.rate_limits import Rates

DEPTH: Final = "standard"
PLACES: Final[dict[Place, Rates | None]] = {"main": None, "limits": Rates()}
"""How often a server of this process may be asked, by the place of an act; tokens that live for seconds it has not."""


def violated_inside(parts: Parts, clauses: Collection[str] = (), seed: int = 1) -> dict[str, str]:
    """Serve these parts in this process, ask what exercises the clauses (or everything); return what was violated."""
    rows, acts = exercises_inside(clauses)
    found: dict[str, str] = {}
    for place in PLACES:
        here = [act for act in acts if act.place == place]
        asked = rows if place == "main" else []
        if here or asked:
            found |= _violated_at(place, parts, asked, here, seed)
    return found


def _violated_at(place: Place, parts: Parts, rows: Sequence[Row], acts: Sequence[Act], seed: int) -> dict[str, str]:
    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    target = InsideTarget(recorder, parts, seed=seed, run=f"m{seed}", rates=PLACES[place])

    async def play() -> None:
        await target.start()
        await _played(target, rows, acts, seed, place)

    return _violated(target, play(), events)


def violated_on_sockets(mutant: str, clauses: Collection[str], seed: int = 1) -> dict[str, str]:
    """Serve a mutant as a process (no name: the honest server) and ask it over sockets; raises ServerDownError."""
    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    target = LocalTarget(recorder, seed=seed, run=f"m{seed}", mutant=mutant)
    rows, acts = exercises_of(clauses)
    return _violated(target, _played(target, rows, acts, seed), events)


def _violated(target: RemoteTarget, playing: Coroutine[Any, Any, None], events: list[Event]) -> dict[str, str]:
    try:
        target.run(playing)
    finally:
        target.end()
    judgement = judge(merged(events), RunFacts(depth=DEPTH), scope=Scope(DEPTH), capabilities=OWN)
    violated = (result for result in judgement.results if result.status is Status.VIOLATED)
    # How long it took says nothing: nobody measured on a quiet machine.
    return {result.id: result.why for result in violated if result.kind != Kind.BUDGET.value}


async def _played(
    target: RemoteTarget, rows: Sequence[Row], acts: Sequence[Act], seed: int, place: Place = "main"
) -> None:
    stage = Stage(target, seed=seed, run=target.run_name)
    able = target.capabilities
    try:
        await stage.set_up()
        await play_all(stage, chosen_rows(rows, DEPTH, able), chosen_acts(acts, DEPTH, able, place))
        await stage.close_sockets()
    finally:
        await target.close()


def exercises_of(clauses: Collection[str]) -> tuple[list[Row], list[Act]]:
    """Return the rows and acts that exercise these clauses; all of them for none.

    The many cases of RFC 6455 only for clauses that nothing else exercises: a mutant is to be seen in a few steps.
    """
    rows = [row for rows in ROWS.values() for row in rows if not clauses or row.clause in clauses]
    brief = [act for part, acts in ACTS.items() if part != "rfc6455" for act in acts]
    left = set(clauses) - {clause for act in brief for clause in act.clauses}
    acts = [act for act in brief if not clauses or set(act.clauses) & set(clauses)]
    acts += [act for act in ACTS["rfc6455"] if not clauses or set(act.clauses) & left]
    return rows, acts


def exercises_inside(clauses: Collection[str]) -> tuple[list[Row], list[Act]]:
    """Return those of them that a server without sockets can be asked."""
    rows, acts = exercises_of(clauses)
    return rows, [act for act in acts if not act.socket and act.place in PLACES]


def honest_violations(seed: int = 1) -> dict[str, str]:
    """Return what the honest server is accused of when all of it is played: nothing, or the judges are wrong."""
    return violated_inside(HONEST, (), seed)


def kill_inside(mutant: Mutant, seed: int = 1) -> Kill:
    """Serve a mutant in this process and ask what exercises its clauses: killed when each of them is violated."""
    began = time.perf_counter()
    return _kill(mutant, began, violated_inside(mutant.parts, mutant.killed_by, seed))


def kill_by_acts(mutant: Mutant, seed: int = 1) -> Kill:
    """The same of a mutant that is a process, over sockets."""
    began = time.perf_counter()
    return _kill(mutant, began, violated_on_sockets(mutant.name, mutant.killed_by, seed))


def _kill(mutant: Mutant, began: float, violated: dict[str, str]) -> Kill:
    killed = set(mutant.killed_by) <= violated.keys()
    found = (1, time.perf_counter() - began) if killed else (None, None)
    counted = dict.fromkeys(sorted(violated), 1)
    return Kill(mutant.name, mutant.sentence, mutant.killed_by, counted, 1, found[0], found[1])
