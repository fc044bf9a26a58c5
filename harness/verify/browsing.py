"""`harness e2e` by itself: the browser tests in the foreground, judged into a record with a report like any run."""

import os
from pathlib import Path

from harness.commands import command
from harness.conformance.catalog import clauses_of
from harness.judge import EXIT_HARNESS_FAILED, EXIT_VOID
from harness.records import INTERRUPTED, RunRecord
from harness.targets.profiles import OWN, Profile, read_target
from harness.verify.basis import Basis, code_of, judged, kept
from harness.verify.health import check_healthy
from harness.verify.outside import OutsideError, browser_choice, browser_session
from harness.verify.plan import check_can_begin, plan_of
from harness.verify.run import end_lines, reports_of


def browse(target: str | None, headed: bool, page: str, out: Path, seed: int | None = None) -> int:
    """Drive the pages, judge what was recorded and write the report; return the exit code.

    A word in `page` chooses tests by their names, and narrows the run to what these exercise. Raises ProfileError,
    UsageError or TargetDownError before anything is written, OutsideError when the browser can't be driven.
    """
    profile = read_target(target) if target is not None else None
    clauses = browser_choice(profile, page).clauses if page else tuple(sorted(clauses_of("browser")))
    if profile is not None:
        check_can_begin(profile, ("browser",))
        print("\n".join(plan_of(profile, ("browser",))))
        check_healthy(profile)
    seed = seed if seed is not None else int.from_bytes(os.urandom(4), "big")
    record = RunRecord.create(
        what="e2e", seed=seed, root=out, target=target or "local", tier="browser", depth="thorough", only=("browser",)
    )
    try:
        note = browser_session(record.path, profile, seed, headed=headed, page=page)
    except KeyboardInterrupt:
        record.finish(exit_code=EXIT_VOID, complete=False, void=INTERRUPTED)
        raise
    except OutsideError as fault:
        record.update(facts={"failed": str(fault)})
        record.finish(exit_code=EXIT_HARNESS_FAILED, complete=False)
        raise
    words = [
        *(["--target", target] if target else []),
        *(["--headed"] if headed else []),
        *(["--page", page] if page else []),
    ]
    return _judged(record, profile, clauses, command("e2e", *words, "--seed", str(seed)), note)


def _judged(record: RunRecord, profile: Profile | None, clauses: tuple[str, ...], replay: str, note: str) -> int:
    able = profile.capabilities() if profile is not None else OWN
    basis = Basis(
        local=profile is None,
        shared_clock=profile is None or profile.loopback,
        clauses=clauses,
        capabilities=able,
        replay=replay,
    )
    verdicts = judged(record.path, record.info, basis)
    record.save_verdicts(verdicts)
    record.update(facts={"notes": [note] if note else [], **kept(basis)})
    code = code_of(verdicts.results, basis)
    record.finish(exit_code=code)
    for line in [*([f"note: {note}"] if note else []), *end_lines(verdicts.results)]:
        print(line)
    print(reports_of(record.path)[0])
    return code
