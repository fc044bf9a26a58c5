"""The run record: what a run leaves behind, and all that judging and reporting may read (design law 3).

`.runs/<time>-<what>-<seed>/` holds `run.json` (format version 1), `history/<recorder>.jsonl`, `verdicts.json`,
`samples/`, `scripts/`, `browser/`, `junit.xml`, `summary.md` and `report.html`. `.runs/latest` points at the
newest. Each file is written whole and renamed into place, so a reader never sees half of one; a run that was cut
off is a record whose `complete` is false.
"""

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, structs

from harness.history import Event, FileSink, read_history
from harness.verdicts import ClauseResult

FORMAT: Final = 1
RUNS_KEPT: Final = 20
LATEST: Final = "latest"
INTERRUPTED: Final = "interrupted before it was done"
"""Why a run is void that somebody ended: `RunInfo.void`."""
FOLDERS: Final = ("history", "samples", "scripts", "browser")
PACKAGES_TOLD: Final = ("zerostate-harness", "msgspec", "httpx", "websockets", "uvicorn", "hypothesis", "playwright")
SECRET_OPTION: Final = re.compile(r"(?i)(?:^|[-_])(password|passwd|secret|token|key|credential)s?(?:$|[-_=])")
URL_USER: Final = re.compile(r"(\w+://)[^/@\s]+@")

T = TypeVar("T")


class RecordError(Exception):
    """A record can't be made or read; the sentence says which, what was expected and what to do."""


class Machine(Struct, frozen=True):
    """Where the run ran."""

    cores: int
    platform: str
    python: str

    @classmethod
    def here(cls) -> "Machine":
        """Return the facts of this machine; no name of it or of its user."""
        return cls(os.cpu_count() or 1, platform.platform(), platform.python_version())


class RunInfo(Struct, frozen=True, kw_only=True):
    """`run.json`; `target` is told without credentials, instants are RFC 3339."""

    format: int = FORMAT
    id: str
    what: str
    command: tuple[str, ...]
    seed: int
    target: str
    tier: str
    versions: dict[str, str]
    machine: Machine
    depth: str = "standard"
    only: tuple[str, ...] = ()
    started_at: str
    ended_at: str = ""
    complete: bool = False
    void: str = ""
    exit_code: int | None = None
    facts: dict[str, Any] = {}


class Verdicts(Struct, frozen=True, kw_only=True):
    """`verdicts.json`: every clause in scope, how many lie outside, and which this project's own tests hold."""

    format: int = FORMAT
    results: tuple[ClauseResult, ...]
    out_of_scope: int = 0
    held_by_project_tests: tuple[str, ...] = ()


class RunRecord:
    """One run's folder, open for writing."""

    def __init__(self, path: Path, info: RunInfo) -> None:
        self.path = path
        self.info = info
        self._sinks: dict[str, FileSink] = {}

    @classmethod
    def create(
        cls,
        *,
        what: str,
        seed: int,
        root: Path = Path(".runs"),
        target: str = "",
        tier: str = "",
        depth: str = "standard",
        only: Sequence[str] = (),
        command: Sequence[str] | None = None,
        facts: Mapping[str, Any] | None = None,
        keep: int = RUNS_KEPT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> "RunRecord":
        """Make the folder of a new run, point `latest` at it and drop the oldest over `keep`.

        Raises RecordError when the folder can't be made.
        """
        started = now()
        try:
            path = _new_folder(root, f"{started:%Y%m%dT%H%M%S}-{_slug(what)}-{seed}")
            info = RunInfo(
                id=path.name,
                what=what,
                command=without_secrets(sys.argv if command is None else command),
                seed=seed,
                target=URL_USER.sub(r"\1***@", target),
                tier=tier,
                versions=_versions(),
                machine=Machine.here(),
                depth=depth,
                only=tuple(only),
                started_at=_rfc3339(started),
                facts=dict(facts or {}),
            )
            record = cls(path, info)
            record._save()
            _point_latest(root, path.name)
        except OSError as fault:
            raise RecordError(f"can't write the run record under {root}: {fault}; choose another --out") from fault
        _drop_oldest(root, keep, path.name)
        return record

    def sink(self, recorder: str) -> FileSink:
        """Return the sink that appends to `history/<recorder>.jsonl`; one for each recorder."""
        if recorder not in self._sinks:
            self._sinks[recorder] = FileSink(self.path / "history", recorder)
        return self._sinks[recorder]

    def update(self, **changes: Any) -> None:
        """Change fields of `run.json`."""
        self.info = structs.replace(self.info, **changes)
        self._save()

    def save_verdicts(self, verdicts: Verdicts) -> None:
        """Write `verdicts.json`."""
        self.write("verdicts.json", _pretty(verdicts))

    def write(self, name: str, content: bytes | str) -> Path:
        """Write a file of the record whole; `name` may have a folder (`scripts/a.json`)."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, content if isinstance(content, bytes) else content.encode())
        return path

    def finish(
        self,
        *,
        exit_code: int,
        complete: bool = True,
        void: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Close the histories and say how the run ended; an interrupted one is not `complete`."""
        for sink in self._sinks.values():
            sink.close()
        self._sinks.clear()
        self.update(exit_code=exit_code, complete=complete, void=void, ended_at=_rfc3339(now()))

    def _save(self) -> None:
        self.write("run.json", _pretty(self.info))


class ReadRecord:
    """A record that is only read; every part says in words why it can't be."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.info = _decoded(self.path / "run.json", RunInfo)

    @property
    def has_verdicts(self) -> bool:
        """Say whether the run was judged."""
        return (self.path / "verdicts.json").exists()

    def verdicts(self) -> Verdicts:
        """Return the results; raises RecordError."""
        return _decoded(self.path / "verdicts.json", Verdicts)

    def history(self) -> list[Event]:
        """Return all recorders' events in merged order, for charts and for judging again; raises RecordError."""
        try:
            return list(read_history(self.path / "history"))
        except ValueError as fault:
            raise RecordError(f"{self.path.name}: {fault}") from fault

    def side_histories(self) -> list[list[Event]]:
        """Return the histories of `history/<group>/`, one for each further server that the run drove."""
        folders = sorted(path for path in (self.path / "history").glob("*") if path.is_dir())
        try:
            return [list(read_history(folder)) for folder in folders]
        except ValueError as fault:
            raise RecordError(f"{self.path.name}: {fault}") from fault

    def files(self, folder: str, pattern: str = "*") -> list[Path]:
        """Return the files of a folder of the record (`browser`, `samples`, `scripts`), by name."""
        return sorted(path for path in (self.path / folder).glob(pattern) if path.is_file())

    def text(self, name: str) -> str:
        """Return a file of the record as text; raises RecordError."""
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except OSError as fault:
            raise RecordError(f"record {self.path.name} has no readable {name}: {fault}") from fault


def script_name(clause: str, seed: int) -> str:
    """Return the name under which `scripts/` keeps what fails a clause."""
    return f"{clause.lower()}-{seed}.json"


def find_script(record: Path, clause: str) -> Path | None:
    """Return the saved script that fails a clause, if the run left one."""
    head = f"{clause.lower()}-"
    found = (path for path in sorted((record / "scripts").glob(f"{head}*.json")))
    return next((path for path in found if path.stem.removeprefix(head).isdigit()), None)


def read_record(path: Path) -> ReadRecord:
    """Open a record (a folder, or `latest`) for reading; raises RecordError saying what is wrong with it."""
    if not path.is_dir():
        raise RecordError(f"no run record at '{path}', expected a folder; harness list runs shows them")
    return ReadRecord(path)


def list_records(root: Path = Path(".runs")) -> list[Path]:
    """Return the folders of records under `root`, oldest first; what is no record is left out."""
    if not root.is_dir():
        return []
    found = (path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0] != ".")
    return sorted(path for path in found if (path / "run.json").exists())


def without_secrets(command: Iterable[str]) -> tuple[str, ...]:
    """Return a command line with values of secret options and credentials in URLs replaced by `***`."""
    told: list[str] = []
    hide_next = False
    for number, word in enumerate(command):
        name, equals, _ = word.partition("=")
        secret = word.startswith("-") and SECRET_OPTION.search(name) is not None
        if hide_next and not word.startswith("-"):
            told.append("***")
        elif secret and equals:
            told.append(f"{name}=***")
        else:
            # The program's own path tells of the machine, not of the run.
            told.append(Path(word).name if number == 0 else URL_USER.sub(r"\1***@", word))
        hide_next = secret and not equals
    return tuple(told)


def _decoded(path: Path, model: type[T]) -> T:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise RecordError(f"record {path.parent.name} has no readable {path.name}: was the run cut off?") from fault
    try:
        version = msgspec.json.decode(raw, type=dict[str, Any]).get("format")
        if version != FORMAT:
            raise RecordError(
                f"{path.parent.name}/{path.name} has format {version!r}, expected {FORMAT}; "
                "read it with the version of the harness that wrote it"
            )
        return msgspec.json.decode(raw, type=model)
    except msgspec.DecodeError as fault:
        raise RecordError(f"{path.parent.name}/{path.name} is no {model.__name__}: {fault}") from fault


def _new_folder(root: Path, name: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        path = root / (name if number == 1 else f"{name}.{number}")
        try:
            # mkdir is the lock: two runs started in one second get two folders.
            path.mkdir()
        except FileExistsError:
            continue
        for folder in FOLDERS:
            (path / folder).mkdir()
        return path
    raise FileExistsError(f"a thousand runs named {name}")


def _point_latest(root: Path, name: str) -> None:
    holder = Path(tempfile.mkdtemp(prefix=".latest-", dir=root))
    try:
        (holder / LATEST).symlink_to(name)
        (holder / LATEST).replace(root / LATEST)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _drop_oldest(root: Path, keep: int, own: str) -> None:
    records = [path for path in list_records(root) if path.name != own]
    finished = [path for path in records if not _is_running(path)]
    for path in finished[: max(0, len(records) + 1 - max(keep, 1))]:
        shutil.rmtree(path, ignore_errors=True)


def _is_running(path: Path) -> bool:
    """Say whether a record may still be written: not ended, and touched within the last day."""
    try:
        info = _decoded(path / "run.json", RunInfo)
    except RecordError:
        return False
    if info.ended_at:
        return False
    age_s = datetime.now(UTC).timestamp() - (path / "run.json").stat().st_mtime
    return age_s < 24 * 3600


def _write_whole(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _slug(what: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", what).strip("_") or "run"


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES_TOLD:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
