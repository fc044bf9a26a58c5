"""Agents over real HTTP: register, change, upload, read and delete, and what a socket hears of it (contract §3, §5)."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection

from reference_server.contract import limits
from reference_server.tests.process import DEADLINE_S, SYSTEM, ServerProcess

FORM: dict[str, Any] = {"name": "Mine", "capabilities": ["etl", "é"], "pricing": '{"per_execution": 0.5}'}
SEEDED = "agent_001"
BINARY = f"/agents/{SEEDED}/binary"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agents") / "zs.db"


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[ServerProcess]:
    with ServerProcess("--db", str(database), "--limits", "off", "--task-ms", "1:2") as running:
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.register()


def wasm(filling: bytes = b"a", size: int = limits.BINARY_BYTES_MIN) -> bytes:
    """Return a file that begins as WebAssembly 1 does."""
    return b"\0asm\1\0\0\0".ljust(size, filling)


def sent(
    server: ServerProcess, method: str, path: str, token: str | None, content: bytes, **form: Any
) -> httpx.Response:
    """Send a multipart body with one file."""
    return server.call(method, path, token, data=form, files={"wasm_binary": ("a.wasm", content, "application/wasm")})


def registered(server: ServerProcess, token: str, content: bytes = wasm(), **form: Any) -> str:
    answer = sent(server, "POST", "/agents/register", token, content, **FORM | form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["agent_id"])


def agent_updates(opened: ClientConnection, server: ServerProcess) -> list[dict[str, Any]]:
    """Return the agent_updates that came before a message sent now."""
    server.call("POST", "/ws/broadcast", server.admin(), json=SYSTEM)
    marker = SYSTEM["data"]
    told: list[dict[str, Any]] = []
    while (message := json.loads(opened.recv(DEADLINE_S)))["data"] != marker:
        told += [message["data"]] if message["type"] == "agent_update" else []
    return told


def test_an_agent_lives_from_its_registration_to_its_end(server: ServerProcess, token: str) -> None:
    first, second = wasm(b"1"), wasm(b"2", 3_000_000)
    with server.connect(server.register("watcher@example.org")) as opened:
        answer = sent(server, "POST", "/agents/register", token, first, **FORM, description="Zweck\U0001f600")
        agent_id = answer.json()["agent_id"]
        path = f"/agents/{agent_id}"
        found = server.call("GET", "/agents?search=ZWECK", token).json()
        changed = server.call("PUT", path, token, json={"name": "Renamed", "price": 0.25})
        uploaded = sent(server, "POST", f"{path}/binary", token, second, version="1.1.0+b")
        versions = server.call("GET", f"{path}/versions", token).json()
        last = server.http.get(uploaded.json()["binary_url"], headers={"Authorization": f"Bearer {token}"})
        dropped = server.call("DELETE", f"{path}/binary?version=1.1.0%2Bb", token)
        left = server.call("GET", f"{path}/binary", token)
        deleted = server.call("DELETE", path, token)

        told = [(one["action"], one["name"]) for one in agent_updates(opened, server) if one["agent_id"] == agent_id]
    assert answer.json()["wasm_hash"] == hashlib.sha256(first).hexdigest()
    assert [one["id"] for one in found["agents"]] == [agent_id]
    assert (found["agents"][0]["price"], found["agents"][0]["capabilities"]) == (0.5, ["etl", "é"])
    assert (changed.json()["name"], changed.json()["price"]) == ("Renamed", 0.25)
    assert [one["version"] for one in versions["versions"]] == ["1.1.0+b", "1.0.0"]
    assert (last.status_code, last.content == second) == (200, True)
    assert last.headers["Content-Type"] == "application/wasm"
    assert last.headers["ETag"] == f'"{hashlib.sha256(second).hexdigest()}"'
    assert (dropped.json()["deleted"], left.content == first) == (["1.1.0+b"], True)
    assert deleted.json() == {"agent_id": agent_id, "status": "deleted"}
    assert {server.call("GET", f"{path}{rest}", token).status_code for rest in ("", "/binary", "/versions")} == {404}
    assert server.call("GET", "/agents?search=renamed", token).json()["total"] == 0
    assert told == [("registered", "Mine")] + [("updated", "Renamed")] * 3 + [("deleted", "Renamed")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"capabilities": []}, "capabilities"),
        ({"capabilities": ["x" * 65]}, "capabilities"),
        ({"capabilities": ["x"] * 51}, "capabilities"),
        ({"description": "x" * 2001}, "description"),
        ({"pricing": "{"}, "pricing"),
        ({"pricing": "[]"}, "pricing"),
        ({"pricing": "0.5"}, "pricing"),
        ({"pricing": '{"per_execution": 0}'}, "pricing.per_execution"),
        ({"pricing": '{"per_second": 1}'}, "pricing.per_execution"),
        ({"pricing": '{"per_execution": 1, "per_mb": "1"}'}, "pricing.per_mb"),
        ({"version": "1 0"}, "version"),
        ({"version": "1.0\n"}, "version"),
        ({"resources": "x"}, "resources"),
        ({"metadata": "[" * 70 + "]" * 70}, "metadata"),
        ({"metadata": '{"a":"\\u0000"}'}, "metadata"),
        ({"metadata": '{"a":"\\ud800"}'}, "metadata"),
        ({"metadata": json.dumps({"a": "x" * limits.FORM_JSON_BYTES_MAX})}, "metadata"),
        ({"resources": json.dumps({}).ljust(limits.FORM_JSON_BYTES_MAX + 1)}, "resources"),
    ],
)
def test_a_wrong_field_of_a_registration_is_400_and_named(
    server: ServerProcess, token: str, change: dict[str, Any], field: str
) -> None:
    before = server.call("GET", "/agents", token).json()["total"]
    answer = sent(server, "POST", "/agents/register", token, wasm(), **FORM | change)

    assert answer.status_code == 400, answer.text
    assert [one["field"] for one in answer.json()["details"]] == [field]
    assert server.call("GET", "/agents", token).json()["total"] == before


def test_a_registration_at_its_bounds_is_taken(server: ServerProcess, token: str) -> None:
    wide = "\U0001f600"
    metadata = json.dumps({"a": ""}).ljust(limits.FORM_JSON_BYTES_MAX)
    agent_id = registered(
        server, token, name=wide * 100, description=wide * 2000, capabilities=[wide * 64] * 50, metadata=metadata
    )

    assert server.call("GET", f"/agents/{agent_id}", token).json()["name"] == wide * 100


@pytest.mark.parametrize(
    "content", [b"", wasm()[:-1], b"\0asm\2\0\0\0".ljust(2000), b"MZ".ljust(2000)], ids=["empty", "short", "2", "exe"]
)
@pytest.mark.parametrize("path", ["/agents/register", BINARY])
def test_a_file_that_is_no_binary_is_400_and_named(
    server: ServerProcess, token: str, path: str, content: bytes
) -> None:
    answer = sent(server, "POST", path, token, content, **FORM, version="1")

    assert answer.status_code == 400, answer.text
    assert [one["field"] for one in answer.json()["details"]] == ["wasm_binary"]


def test_a_binary_of_a_byte_too_many_is_413(server: ServerProcess, token: str) -> None:
    content = wasm(size=limits.BINARY_BYTES_MAX + 1)

    assert sent(server, "POST", "/agents/register", token, content, **FORM).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "signed_in", "named", "status"),
    [
        ("POST", "/agents/register", False, {}, 401),
        ("GET", "/agents/search?q=a", False, {}, 401),
        ("PUT", f"/agents/{SEEDED}", False, {"json": {}}, 401),
        ("DELETE", f"/agents/{SEEDED}", False, {}, 401),
        ("POST", BINARY, False, {}, 401),
        ("PUT", BINARY, False, {}, 401),
        ("GET", BINARY, False, {}, 401),
        ("DELETE", BINARY, False, {}, 401),
        ("GET", f"/agents/{SEEDED}/versions", False, {}, 401),
        ("POST", "/agents/register", True, {"json": FORM}, 415),
        ("POST", BINARY, True, {"json": {}}, 415),
        ("PUT", BINARY, True, {}, 415),
        ("PUT", f"/agents/{SEEDED}", True, {"files": {"name": b"x"}}, 415),
        ("GET", "/agents/search", True, {}, 400),
        ("GET", "/agents/search?q=", True, {}, 400),
        ("GET", "/agents?search=", True, {}, 400),
        ("PUT", "/agents/x", True, {"json": {}}, 400),
        ("PUT", f"/agents/{SEEDED}", True, {"json": {"price": -1}}, 400),
        ("GET", f"{BINARY}?version=%ff", True, {}, 400),
        ("DELETE", f"{BINARY}?version=%00", True, {}, 400),
        ("PUT", "/agents/x", True, {"json": {"name": "N"}}, 404),
        ("DELETE", "/agents/x", True, {}, 404),
        ("GET", BINARY, True, {}, 404),
        ("GET", "/agents/x/versions", True, {}, 404),
        ("DELETE", f"{BINARY}?version=1", True, {}, 404),
        ("DELETE", BINARY, True, {}, 403),
        ("PUT", f"/agents/{SEEDED}", True, {"json": {"name": "N"}}, 403),
        ("DELETE", f"/agents/{SEEDED}", True, {}, 403),
        ("POST", f"/agents/{SEEDED}", True, {}, 405),
        ("DELETE", "/agents/search", True, {}, 405),
    ],
)
def test_the_first_error_that_applies_is_answered(
    server: ServerProcess, token: str, method: str, path: str, signed_in: bool, named: dict[str, Any], status: int
) -> None:
    answer = server.call(method, path, token if signed_in else None, **named)

    assert answer.status_code == status, answer.text
    assert {"error", "message"} <= set(answer.json()) <= {"error", "message", "details"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_upload_is_refused_by_what_it_is_for_and_leaves_nothing(
    server: ServerProcess, token: str, method: str
) -> None:
    agent_id, other = registered(server, token), server.register(f"{method.lower()}@example.org")
    own = f"/agents/{agent_id}/binary"
    statuses = [
        sent(server, method, path, caller, wasm(), version=version).status_code
        for path, caller, version in (
            ("/agents/x/binary", token, "2"),
            (BINARY, token, "2"),
            (own, other, "1.0.0"),
            (own, token, "1.0.0"),
            (own, token, "2"),
            (own, token, "2"),
        )
    ]

    assert statuses == [404, 403, 403, 409, 201, 409]
    assert server.call("GET", f"/agents/{agent_id}/versions", token).json()["total"] == 2


def test_a_binary_that_is_being_read_while_its_agent_is_deleted_comes_whole(server: ServerProcess, token: str) -> None:
    content = wasm(b"x", 16 * 1024 * 1024)
    path = f"/agents/{registered(server, token, content)}"
    url, signed_in = f"/api/v1{path}/binary", {"Authorization": f"Bearer {token}"}
    with server.http.stream("GET", url, headers=signed_in) as answer:
        pieces = answer.iter_raw()
        read = bytearray(next(pieces))
        deleted = httpx.delete(f"{server.url}/api/v1{path}", headers=signed_in)
        for piece in pieces:
            read += piece

    assert (answer.status_code, deleted.status_code) == (200, 200)
    assert read == content
    assert server.call("GET", f"{path}/binary", token).status_code == 404


def test_nothing_is_left_of_a_binary_that_was_refused_or_deleted(
    server: ServerProcess, token: str, database: Path
) -> None:
    folder = database.with_name(f"{database.name}.blobs")
    before = _files(folder)
    agent_id = registered(server, token)
    path = f"/agents/{agent_id}/binary"
    for version, content in (("1.0.0", wasm()), ("2", wasm()[:-1]), ("2", wasm()), ("3", wasm())):
        sent(server, "POST", path, token, content, version=version)
    server.call("DELETE", f"{path}?version=2", token)
    _wait_for(server, lambda: len(_files(folder) - before) == 2)
    server.call("DELETE", f"/agents/{agent_id}", token)
    _wait_for(server, lambda: _files(folder) == before)


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def _wait_for(server: ServerProcess, condition: Callable[[], bool]) -> None:
    """Ask for something else until it holds: files go on workers, after the answer."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        server.http.get("/ready")


def test_a_task_leaves_an_agent_that_is_deleted(server: ServerProcess, token: str) -> None:
    agent_id = registered(
        server, token, capabilities=["query-processing"], pricing='{"per_execution": 0.001}', name="Cheapest"
    )
    with server.connect(token) as opened:
        task: dict[str, Any] = {"query": "q", "budget": 0.002, "constraints": {"simulate": {"outcome": "hang"}}}
        server.call("POST", "/tasks/submit", token, json=task)
        messages = iter(lambda: json.loads(opened.recv(DEADLINE_S)), None)
        running = next(one["data"] for one in messages if one["data"].get("status") == "running")
        server.call("DELETE", f"/agents/{agent_id}", token)
        told = [next(messages)["data"] for _ in range(3)]

    assert running["assigned_to"] == agent_id
    assert [one.get("action") or one["status"] for one in told] == ["deleted", "queued", "failed"]
