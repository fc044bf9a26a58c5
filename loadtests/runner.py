"""Run a load scenario: Locust as a child process, its record read back, judged for validity, and told in a table.

Nothing here imports Locust, whose import patches the process. The target is a URL: who starts it is not our business.
"""

import http.client
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from loadtests.catalog import load_scenario
from loadtests.ledger import Sums
from loadtests.plan import PLAN_VARIABLE, LoadScenario, Plan, encode_plan
from loadtests.recording import MEASURED_FROM, figures, merged_ledger, merged_series, read_samples, write_events
from loadtests.validity import ServerCounters, check, offered_tasks
from reference_server.contract.operations import BY_NAME

EXIT_OK: Final = 0
EXIT_VIOLATED: Final = 1
EXIT_VOID: Final = 2
EXIT_HARNESS_FAILED: Final = 3
ANSWER_S_MAX: Final = 15.0
STOP_S_MAX: Final = 30.0
LOOK_S: Final = 1.0
LOG_LINES_SHOWN: Final = 12
LOCUST_LOG: Final = "locust.log"
SUMMARY: Final = "samples/load.json"


class LoadSummary(Struct, frozen=True, kw_only=True):
    """`samples/load.json`: what a load run came to; `void` says why it does not count, if it does not."""

    format: int = 1
    scenario: str
    users: int
    duration_s: float
    fan_out: int
    offered: int
    figures: dict[str, dict[str, float]]
    measured_from: dict[str, str]
    ledger: Sums
    server: ServerCounters | None
    messages_per_s: dict[int, int]
    faults: dict[str, int]
    void: tuple[str, ...]
    left_behind: str = ""


class TargetError(Exception):
    """The target could not be asked; the sentence says what was expected."""


def run(
    scenario: str | LoadScenario = "hello",
    users: int = 50,
    duration_s: float = 10.0,
    target_url: str = "",
    run_dir: Path = Path(),
    seed: int = 0,
    *,
    exclusive: bool = True,
    ca: str = "",
    quiet: bool = False,
    attempt: int = 1,
    step: Callable[[str], None] = lambda _: None,
) -> int:
    """Put a load on `target_url`, leave its numbers in `run_dir`, print a table, and return the exit code.

    0 everything owed was received; 1 something was lost, doubled, foreign or unreadable; 2 the run is void; 3 Locust
    failed or the target could not be asked. `step` hears how long it has been at work. Budgets are judged from the
    record, not here. Raises ValueError on unusable arguments, and lets KeyboardInterrupt through when Locust has ended.
    """
    plan = _plan(scenario, users, duration_s, target_url, run_dir, seed, ca, attempt)
    try:
        observer = Observer(plan) if exclusive else None
        before = observer.look() if observer else None
    except TargetError as fault:
        print(f"load: {fault}", file=sys.stderr)
        return EXIT_HARNESS_FAILED
    code = _locust(plan, step)
    if code != EXIT_OK:
        return code
    after, died = _looked_again(observer)
    summary = summarised(plan, _difference(before, after), died)
    write_summary(run_dir, summary)
    for sample in read_samples(run_dir):
        write_events(run_dir, time.monotonic_ns, sample, plan.fan_out, summary.void)
    if not quiet:
        print("\n".join(table(summary)))
    return exit_code(summary)


def exit_code(summary: LoadSummary) -> int:
    """Return what the summary alone decides: a message that went astray did so in a void run too."""
    ledger = summary.ledger
    if ledger.lost or ledger.doubled or ledger.foreign or ledger.unreadable:
        return EXIT_VIOLATED
    return EXIT_VOID if summary.void else EXIT_OK


def read_summary(run_dir: Path) -> LoadSummary | None:
    """Return what a load run left, or None when it came to no summary."""
    path = run_dir / SUMMARY
    return msgspec.json.decode(path.read_bytes(), type=LoadSummary) if path.is_file() else None


def set_aside(run_dir: Path, attempt: int) -> None:
    """Rename what a void attempt left, so that the next one is not counted with it; nothing of it is deleted."""
    samples = [*(run_dir / "samples").glob("worker-*.json"), run_dir / SUMMARY, run_dir / LOCUST_LOG]
    for path in samples:
        if path.is_file():
            path.rename(path.with_name(f"void-{attempt}-{path.name}"))


def summarised(plan: Plan, counters: ServerCounters | None, died: Sequence[str] = ()) -> LoadSummary:
    """Read the samples back and put them together; `died` says that the target went away under the load."""
    samples = read_samples(Path(plan.run_dir))
    messages: dict[int, int] = {}
    faults: dict[str, int] = {}
    for sample in samples:
        for second, count in sample.messages.items():
            messages[second] = messages.get(second, 0) + count
        for what, count in sample.faults.items():
            faults[what] = faults.get(what, 0) + count
    series = merged_series(samples)
    return LoadSummary(
        scenario=plan.scenario.name,
        users=plan.users,
        duration_s=plan.duration_s,
        fan_out=plan.fan_out,
        offered=offered_tasks(plan),
        figures={name: figures(histogram) for name, histogram in series.items()},
        measured_from={name: MEASURED_FROM[name] for name in series},
        ledger=merged_ledger(samples),
        server=counters,
        messages_per_s=dict(sorted(messages.items())),
        faults=dict(sorted(faults.items())),
        void=(*died, *check(plan, samples, counters)),
        left_behind=f"{plan.users} accounts zsh-{plan.run}-…: the contract has no operation that removes one",
    )


def write_summary(run_dir: Path, summary: LoadSummary) -> None:
    """Write `samples/load.json`."""
    path = run_dir / SUMMARY
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")


def table(summary: LoadSummary) -> list[str]:
    """Return the lines that a person reads at the end of a run."""
    ledger = summary.ledger
    lines = [
        f"load {summary.scenario}: {summary.users} users, {summary.duration_s:g} s, fan-out {summary.fan_out}",
        f"{'':<20}{'n':>8}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'max ms':>10}",
    ]
    for name, row in summary.figures.items():
        cells = "".join(f"{row[column]:>10.2f}" for column in ("p50", "p95", "p99", "max"))
        lines.append(f"{name:<20}{int(row['count']):>8}{cells}")
    lines.append(
        f"ledger: expected {ledger.expected} = received {ledger.received} + lost {ledger.lost} "
        f"+ doubled {ledger.doubled}; foreign {ledger.foreign}, undecided {ledger.undecided}"
    )
    if summary.server is not None:
        lines.append(f"server: sent {summary.server.messages_sent} messages, users read {ledger.frames}")
    lines += [f"void: {why}" for why in summary.void]
    return lines


def _looked_again(observer: "Observer | None") -> tuple[ServerCounters | None, list[str]]:
    """A target that is down at the start can't be tested; one that dies under the load leaves a run that is void."""
    if observer is None:
        return None, []
    try:
        after = observer.look()
        observer.leave()
    except TargetError as fault:
        return None, [f"after the load {fault}"]
    return after, []


def _plan(
    scenario: str | LoadScenario,
    users: int,
    duration_s: float,
    target_url: str,
    run_dir: Path,
    seed: int,
    ca: str,
    attempt: int,
) -> Plan:
    for name, value in (("users", users), ("duration", duration_s)):
        if value <= 0:
            raise ValueError(f"{name} {value:g}, expected more than 0")
    if urlsplit(target_url).scheme not in ("http", "https") or not urlsplit(target_url).netloc:
        raise ValueError(f"target '{target_url}', expected the http or https URL of a server")
    return Plan(
        scenario=load_scenario(scenario) if isinstance(scenario, str) else scenario,
        users=users,
        duration_s=float(duration_s),
        target_url=target_url.rstrip("/"),
        run_dir=str(run_dir.resolve()),
        # Not from the seed: the same seed run twice on one target must not meet its own accounts.
        run=secrets.token_hex(4),
        seed=seed,
        ca=ca,
        attempt=attempt,
    )


def _locust(plan: Plan, step: Callable[[str], None]) -> int:
    """Run Locust to its end and map its exit code: 0, or 3."""
    run_dir = Path(plan.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / LOCUST_LOG).open("wb") as log:
        child = subprocess.Popen(
            _command(plan), env=_environment(plan), cwd=run_dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            code = _waited(child, plan.longest_s, step)
        finally:
            _stop(child)
    if code == 0:
        return EXIT_OK
    tail = (run_dir / LOCUST_LOG).read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    print(f"load: locust ended with {code}, expected 0; its last lines:", *tail, sep="\n  ", file=sys.stderr)
    return EXIT_HARNESS_FAILED


def _waited(child: "subprocess.Popen[bytes]", longest_s: float, step: Callable[[str], None]) -> int:
    """Wait for the child's exit code; -1 when it takes longer than it may."""
    began_s = time.monotonic()
    while (spent_s := time.monotonic() - began_s) < longest_s + STOP_S_MAX:
        try:
            return child.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            step(f"{spent_s:.0f} s of {longest_s:.0f} at most")
    return -1


def _command(plan: Plan) -> list[str]:
    locustfile = Path(__file__).with_name("locustfile.py")
    return [
        *(sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--only-summary"),
        *("--host", plan.target_url, "--users", str(plan.users), "--spawn-rate", str(plan.users)),
        # The crew ends the run; this is the bound. A failed request is in the record, not in Locust's exit code.
        *("--run-time", f"{int(plan.longest_s) + 1}s", "--stop-timeout", "5", "--exit-code-on-error", "0"),
    ]


def _environment(plan: Plan) -> dict[str, str]:
    """Let the child find this package where it is imported from, a checkout or the wheel."""
    own = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (own, *sys.path, inherited) if part)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, "PYTHONPATH": path, PLAN_VARIABLE: encode_plan(plan)}


def _stop(child: "subprocess.Popen[bytes]") -> None:
    """End the child if it still runs, on every way out."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class Observer:
    """An account of its own that looks at the server's counters before and after; never a socket."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._token = ""
        name = f"zsh-{plan.run}-observer"
        body = {"email": f"{name}@example.com", "password": secrets.token_urlsafe(24), "full_name": name}
        self._token = str(self._call("register", body).get("token", ""))

    def look(self) -> ServerCounters:
        """Return the counters now; raises TargetError."""
        stats = self._call("ws_stats").get("stats", {})
        return ServerCounters(int(stats["messages_sent"]), int(stats["total_connections"]))

    def leave(self) -> None:
        """Give the token back."""
        self._call("logout")

    def _call(self, operation: str, body: Any = None) -> dict[str, Any]:
        row = BY_NAME[operation]
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection = self._connection()
            connection.request(row.method, row.path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
            connection.close()
        except OSError as fault:
            raise TargetError(f"{self._plan.target_url} does not answer: {fault}; is the server running?") from fault
        if status != row.success:
            raise TargetError(f"{operation} at {self._plan.target_url} answered {status}, expected {row.success}")
        parsed = json.loads(text)
        return parsed if isinstance(parsed, dict) else {}

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._plan.target_url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=ANSWER_S_MAX)
        context = ssl.create_default_context(cafile=self._plan.ca or None)
        return http.client.HTTPSConnection(host, port, timeout=ANSWER_S_MAX, context=context)


def _difference(before: ServerCounters | None, after: ServerCounters | None) -> ServerCounters | None:
    if before is None or after is None:
        return None
    return ServerCounters(after.messages_sent - before.messages_sent, after.connections - before.connections)
