"""The measures: each starts a server, puts one load on it, and gives the figures that a bar asks for."""

import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from harness.bench.bars import Figure
from harness.bench.calls import called, head, request_head
from harness.bench.directed import directed, directed_rate
from harness.bench.fan_out import fan_out, fan_out_bursts
from harness.bench.findings import Findings, of_statuses
from harness.bench.held import held
from harness.bench.hostile import hostile
from harness.bench.load import MARK, Count, Plan
from harness.bench.machine import resident_mib, shares
from harness.bench.memory import idle_memory
from harness.bench.process import Server, counted, serving
from harness.bench.setting import Setting
from harness.bench.storm import connect_rate, connect_storm
from reference_server.contract.operations import BY_NAME

CONNECTIONS: Final = 32
TASKS: Final = 1_000
STARTS: Final = 5
LOGINS_PER_S: Final = 20
LOGIN_CONNECTIONS: Final = 8
OTHERS_PER_S: Final = 200
UPLOADS: Final = 10
UPLOAD_BYTES: Final = 20 * 1024 * 1024
DEADLINE_S: Final = 30.0
REST_S: Final = 1.0
PERSON: Final = {"email": "bench@example.com", "password": "a password of the bench", "full_name": "Bench"}
TASK: Final = {"query": "how many requests a second is that?", "budget": 1}
AGENT: Final = {
    "name": "Bench",
    "capabilities": "bench",
    "pricing": '{"per_execution": 1}',
    "version": "1.0.0",
}
WASM: Final = b"\0asm\x01\0\0\0"
BOUNDARY: Final = b"zsh-bench-boundary"


def submits(setting: Setting) -> Iterator[Figure]:
    """Submit as fast as answers come, for each of the two durabilities."""
    for name, sync in (("submit_normal", "normal"), ("submit_full", "full")):
        with serving(setting.server_cores, "--sync", sync) as server:
            token = _token(server)
            figure = _rate(name, _put_on(setting, server, [head("POST", "/tasks/submit", token, TASK)]))
            # With FULL the disk is the limit, and it is the server's: an idle core says nothing of the load.
            yield figure if sync == "normal" else msgspec.structs.replace(figure, busy=None)


def get_task(setting: Setting) -> Iterator[Figure]:
    """Read one of a thousand tasks in turn, as fast as answers come."""
    with serving(setting.server_cores) as server:
        token = _token(server)
        heads = [head("GET", f"/tasks/{task}", token) for task in _tasks(server, token, TASKS)]
        yield _rate("get_task", _put_on(setting, server, heads))


def under_logins(setting: Setting) -> Iterator[Figure]:
    """Let other calls come at a steady pace while people sign in."""
    yield _mixed(setting, "logins_p99", uploads=False)


def under_uploads(setting: Setting) -> Iterator[Figure]:
    """The same while ten large binaries arrive as well."""
    if "put_binary" not in BY_NAME:
        yield Figure("mixed_p99", None, note="this server takes no uploads")
        return
    yield _mixed(setting, "mixed_p99", uploads=True)


def starts(setting: Setting) -> Iterator[Figure]:
    """Start on a new database, let it rest, look at its memory."""
    ready_s, resident = [], []
    for _ in range(STARTS):
        with serving(setting.server_cores) as server:
            ready_s.append(server.ready_s)
            time.sleep(REST_S)
            resident.append(resident_mib(server.pid))
    yield Figure("ready", median(ready_s), note=f"median of {STARTS}, worst {max(ready_s):.2f} s")
    known = [one for one in resident if one is not None]
    yield Figure("resident", median(known) if known else None, note="" if known else "this system has no /proc")


Measure: TypeAlias = Callable[[Setting], Iterator[Figure]]
MEASURES: Final[Mapping[str, Measure]] = {
    "submit": submits,
    "get": get_task,
    "logins": under_logins,
    "mixed": under_uploads,
    "start": starts,
    "connect_storm": connect_storm,
    "connect_rate": connect_rate,
    "directed": directed,
    "directed_rate": directed_rate,
    "held": held,
    "hostile": hostile,
    "fan_out": fan_out,
    "fan_out_bursts": fan_out_bursts,
    "idle_memory": idle_memory,
}


def _mixed(setting: Setting, name: str, *, uploads: bool) -> Figure:
    with serving(setting.server_cores) as server:
        token = _token(server)
        (task,) = _tasks(server, token, 1)
        others = [
            head("GET", f"/tasks/{task}", token),
            head("POST", "/tasks/submit", token, TASK),
            head("GET", "/agents", token),
            head("GET", "/users/me", token),
        ]
        login = head("POST", "/users/login", None, {"email": PERSON["email"], "password": PERSON["password"]})
        plans = [
            _plan(setting, server, others, rate_per_s=OTHERS_PER_S),
            _plan(setting, server, [login], connections=LOGIN_CONNECTIONS, rate_per_s=LOGINS_PER_S),
        ]
        if uploads:
            plans.append(_upload_plan(setting, server, token))
        return _beside(name, *counted(setting.load_cores, plans))


def _beside(name: str, calls: Count, *beside: Count) -> Figure:
    """Return the p99 of the calls beside logins and, where there are any, uploads: all must have succeeded."""
    counts = {"calls": calls} | dict(zip(("logins", "uploads"), beside, strict=False))
    told = ", ".join(f"{one.answers / one.seconds:.1f} {what}/s" for what, one in counts.items() if what != "calls")
    note = f"{OTHERS_PER_S} calls/s beside {told}"
    timed = {"value": calls.p99_ms, "lag_ms": calls.lag_p99_ms}
    # What the loop waits for here is mostly the server's own hashing: that belongs to what is measured.
    found = msgspec.structs.replace(
        _rate(name, calls), cpu_us_per_request=None, busy=None, waited=None, note=note, **timed
    )
    return sum((of_statuses(what, one.statuses) for what, one in counts.items()), Findings()).on(found)


def _put_on(setting: Setting, server: Server, heads: list[bytes]) -> Count:
    (count,) = counted(setting.load_cores, [_plan(setting, server, heads)])
    return count


def _plan(setting: Setting, server: Server, heads: list[bytes], **named: Any) -> Plan:
    chosen = {"connections": CONNECTIONS} | named
    return Plan(server.host, server.port, server.pid, heads=heads, seconds=setting.seconds, **chosen)


def _rate(name: str, count: Count) -> Figure:
    cpu_us = None if count.cpu_s is None or not count.answers else count.cpu_s / count.answers * 1e6
    busy, waited = shares(count.cpu_s, count.waited_s, count.seconds)
    told = (count.p50_ms, count.p99_ms, count.statuses)
    found = Figure(name, count.answers / count.seconds, cpu_us, *told, busy=busy, waited=waited)
    return of_statuses("answers", count.statuses).on(found)


def _upload_plan(setting: Setting, server: Server, token: str) -> Plan:
    agent = _agent(server, token)
    fields = [_field("version", MARK), _file_head("wasm_binary"), WASM]
    front, tail = b"".join(fields), b"\r\n--" + BOUNDARY + b"--\r\n"
    length = len(front) + UPLOAD_BYTES + len(tail)
    media = b"multipart/form-data; boundary=" + BOUNDARY
    head = request_head("PUT", f"/agents/{agent}/binary", token, media, length) + front
    return _plan(setting, server, [head], connections=UPLOADS, filler_bytes=UPLOAD_BYTES, tail=tail)


def _field(name: str, value: bytes) -> bytes:
    return b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (BOUNDARY, name.encode(), value)


def _file_head(name: str) -> bytes:
    disposition = b'Content-Disposition: form-data; name="%s"; filename="bench.wasm"' % name.encode()
    return b"--%s\r\n%s\r\nContent-Type: application/wasm\r\n\r\n" % (BOUNDARY, disposition)


def _token(server: Server) -> str:
    token: str = called(server, "POST", "/users/register", None, json=PERSON)["token"]
    return token


def _tasks(server: Server, token: str, number: int) -> list[str]:
    with httpx.Client(timeout=DEADLINE_S) as client:
        return [called(server, "POST", "/tasks/submit", token, client, json=TASK)["task_id"] for _ in range(number)]


def _agent(server: Server, token: str) -> str:
    files = {"wasm_binary": ("bench.wasm", WASM + bytes(4096), "application/wasm")}
    agent: str = called(server, "POST", "/agents/register", token, data=AGENT, files=files)["agent_id"]
    return agent
