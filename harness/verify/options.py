"""What a verify run is asked to do, checked before anything is started: bad input leaves nothing half-written."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from harness.conformance.catalog import PARTS, clauses_of
from harness.judge import Known
from harness.records import without_secrets
from harness.targets.profiles import Profile, read_target
from reference_server.contract.clauses import CLAUSES_BY_ID, Depth

DEPTHS: Final = tuple(depth.value for depth in Depth)
LOCAL: Final = "the reference server, started for this run"


class UsageError(ValueError):
    """Something that was asked for can't be done; the sentence says what was wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `harness verify`; `profile` is None for the local reference server.

    `words` are those that ask for the same again, all but the seed.
    """

    profile: Profile | None = None
    depth: str = "standard"
    only: tuple[str, ...] = PARTS
    minutes: float | None = None
    seed: int | None = None
    known: tuple[Known, ...] = ()
    fail_fast: bool = False
    quiet: bool = False
    out: Path = Path(".runs")
    mutant: str = ""
    words: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether the run starts its own server."""
        return self.profile is None

    @property
    def target_told(self) -> str:
        """How the record names the target."""
        return self.profile.api if self.profile is not None else self.mutant or "local"

    @property
    def is_whole(self) -> bool:
        """Whether no part was left out."""
        return set(self.only) == set(PARTS)

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that the chosen parts exercise; empty for all of them."""
        return () if self.is_whole else tuple(sorted({clause for part in self.only for clause in clauses_of(part)}))


class _KnownFile(Struct, forbid_unknown_fields=True):
    known: tuple[Known, ...] = ()


def checked_options(
    *,
    target: str | None = None,
    depth: str = "standard",
    only: str = "",
    minutes: float | None = None,
    seed: int | None = None,
    ca: str | None = None,
    known: str | None = None,
    fail_fast: bool = False,
    quiet: bool = False,
    out: str = ".runs",
    mutant: str = "",
) -> Options:
    """Return the options if all of them can be used; raises UsageError or ProfileError with one sentence."""
    if depth not in DEPTHS:
        raise UsageError(f"depth {depth!r}, expected {', '.join(DEPTHS)}")
    if minutes is not None and minutes <= 0:
        raise UsageError(f"minutes {minutes:g}, expected more than 0")
    if seed is not None and seed < 0:
        raise UsageError(f"seed {seed}, expected 0 or more")
    if ca is not None and not Path(ca).is_file():
        raise UsageError(f"ca {ca!r} is no file; give a PEM file")
    profile = read_target(target) if target is not None else None
    if profile is not None and ca is not None:
        profile = msgspec.structs.replace(profile, ca=ca)
    accepted = read_known(known) if known is not None else ()
    if profile is not None:
        accepted += tuple(Known(entry.clause, entry.reason, entry.until) for entry in profile.known)
    if mutant and profile is not None:
        raise UsageError(f"mutant {mutant!r} and a target, expected one of them; a mutant is a server of our own")
    parts = parts_of(only)
    given: dict[str, str | None] = {
        "mutant": mutant,
        "target": target,
        "ca": ca,
        "only": "" if set(parts) == set(PARTS) else ",".join(parts),
        "depth": depth,
        "minutes": None if minutes is None else f"{minutes:g}",
        "known": known,
    }
    words = [word for name, value in given.items() if value for word in (f"--{name}", value)]
    words += ["--fail-fast"] if fail_fast else []
    told = without_secrets(["harness", *words])[1:]
    return Options(profile, depth, parts, minutes, seed, accepted, fail_fast, quiet, Path(out), mutant, told)


def parts_of(only: str) -> tuple[str, ...]:
    """Return the parts that a comma-separated list names, in the order of the menu; raises UsageError."""
    wanted = [word.strip() for word in only.split(",") if word.strip()]
    for word in wanted:
        if word not in PARTS:
            raise UsageError(f"unknown part {word!r} in --only; expected some of {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in wanted) if wanted else PARTS


def read_known(path: str) -> tuple[Known, ...]:
    """Return the accepted violations of a TOML file; raises UsageError."""
    try:
        fields = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        found = msgspec.convert(fields, _KnownFile).known
    except OSError as fault:
        raise UsageError(f"known {path!r} can't be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise UsageError(f"known {path!r}: {fault}; expected known = [{{clause, reason, until}}]") from fault
    for entry in found:
        if entry.clause not in CLAUSES_BY_ID:
            raise UsageError(f"known {path!r}: no clause {entry.clause!r}; `harness list clauses` shows them")
    return found
