"""Agents that somebody registers: shown, found, changed, deleted, pushed to everyone (contract §§3 agents, 5)."""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from harness.checkers.expectations import expect
from harness.client.forms import File, Form
from harness.client.rest import RecordedSession
from harness.conformance.raw_http import exchange
from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.socket_cases import answered
from harness.conformance.stage import POLL_S, Stage, read_as
from harness.conformance.suite import Act, Row
from reference_server.contract import limits
from reference_server.contract.operations import BY_NAME
from reference_server.contract.seeded_agents import QUERY_CAPABILITY, SEEDED_AGENTS

SEEDED_ID: Final = SEEDED_AGENTS[0].id
WASM: Final = b"\x00asm\x01\x00\x00\x00" + bytes(limits.BINARY_BYTES_MIN)
PRICE: Final = 0.75
PUSHED_S_MAX: Final = 6.0
MOVED_S_MAX: Final = 6.0
PARTED: Final = "multipart/form-data; boundary=zsh"
HANG: Final = {"simulate": {"outcome": "hang"}}
BELOW_ALL: Final = 0.009
"""A budget below the price of every seeded agent, so that only agents of our own fit."""

ROWS: Final = (
    Row("REST-UPDATE-2", "seeded", {"status": [403]}, "update_agent", ids={"id": SEEDED_ID}, body={"price": 1}),
    Row("REST-UPDATE-2", "unknown", {"status": [404]}, "update_agent", ids={"id": UNKNOWN_ID}, body={"price": 1}),
    Row("REST-UPDATE-2", "malformed-id", {"status": [404]}, "update_agent", ids={"id": "x"}, body={"price": 1}),
    Row("REST-UPDATE-2", "request-before-object", {"status": [400]}, "update_agent", ids={"id": UNKNOWN_ID}, body={}),
    Row("REST-DELETE-1", "seeded", {"status": [403]}, "delete_agent", ids={"id": SEEDED_ID}),
    Row("REST-DELETE-1", "unknown", {"status": [404]}, "delete_agent", ids={"id": UNKNOWN_ID}),
    Row("REST-FIELD-1", "search-empty", {"status": [400], "details_has": "q"}, "search_agents", query={"q": ""}),
    Row("REST-FIELD-1", "search-absent", {"status": [400], "details_has": "q"}, "search_agents"),
    Row("REST-TYPE-1", "register-json", {"status": [415]}, "register_agent", body={"name": "zsh"}),
    *(
        Row("REST-REGISTER-2", name, {"status": [400]}, "register_agent", raw=raw, content_type=PARTED)
        for name, raw in (
            ("no-part", b"--zsh--\r\n"),
            ("other-boundary", b"--other\r\n\r\nx\r\n--other--\r\n"),
            ("half-a-form", b'--zsh\r\nContent-Disposition: form-data; name="name"\r\n\r\nzsh half'),
            ("endless-part-head", b"--zsh\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\nx\r\n--zsh--\r\n"),
            ("many-parts", b'--zsh\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 5_000 + b"--zsh--\r\n"),
        )
    ),
)


class _Registered(Struct):
    agent_id: str


class _Running(Struct):
    status: str
    assigned_to: str | None = None


def fields_of(stage: Stage, **changes: Any) -> list[tuple[str, str]]:
    """Return the text fields of a registration; a change of None leaves one out, a list repeats it."""
    fields: dict[str, Any] = {
        "name": stage.named("Mender"),
        "description": "Mends what others broke.",
        "capabilities": ["zsh-mending", "zsh 100%_literal"],
        "pricing": msgspec.json.encode({"per_execution": PRICE, "currency": "USD"}).decode(),
        **changes,
    }
    return [
        (name, one)
        for name, value in fields.items()
        if value is not None
        for one in (value if isinstance(value, list) else [value])
    ]


async def register(
    stage: Stage, session: RecordedSession, case: str | None = None, *, content: bytes = WASM, **changes: Any
) -> str:
    """Register an agent and return its id; it is deleted at the end. Raises NotAcceptedError."""
    fields = fields_of(stage, **changes)
    name = next(text for field, text in fields if field == "name")
    form = Form(fields, File("wasm_binary", content))
    wanted = {"name": name, "status": "registered", "wasm_hash": File("wasm_binary", content).sha256}
    answer = await stage.ask(session, "register_agent", case, form=form, status=[201], body_has=wanted)
    agent = read_as(answer, _Registered).agent_id
    stage.target.made(session, "delete_agent", agent)
    return agent


async def registering_an_agent(stage: Stage) -> None:
    """REST-REGISTER-1: shown alone, in the list and in the search as it was given."""
    agent = await register(stage, stage.user, "REST-REGISTER-1/made")
    shown = {
        "id": agent, "name": stage.named("Mender"), "description": "Mends what others broke.", "price": PRICE,
        "capabilities": ["zsh-mending", "zsh 100%_literal"], "status": "active", "tasks_completed": 0,
        "owner_id": stage.user.account_id,
    }  # fmt: skip
    await stage.ask(stage.other, "get_agent", "REST-REGISTER-1/shown", path={"id": agent}, status=[200], body_has=shown)
    newest = {"agents.0.id": agent} if stage.has("exclusive") else {}
    await stage.ask(stage.other, "list_agents", "REST-REGISTER-1/listed", query={"limit": "1"}, body_has=newest)
    own = {"agents.#": 1, "total": 1, "agents.0.id": agent}
    query = {"q": stage.named("mENDER")}
    await stage.ask(stage.other, "search_agents", "REST-REGISTER-1/found", query=query, status=[200], body_has=own)
    await stage.ask(stage.user, "delete_agent", path={"id": agent})


async def wrong_registrations(stage: Stage) -> None:
    """REST-REGISTER-2: each wrong field is named, and nothing is registered."""
    per = {"per_execution": 1}
    for name, field, changes in (
        ("no-name", "name", {"name": None}),
        ("blank-name", "name", {"name": "  "}),
        ("long-name", "name", {"name": "x" * (limits.NAME_CHARS_MAX + 1)}),
        ("long-description", "description", {"description": "x" * (limits.DESCRIPTION_CHARS_MAX + 1)}),
        ("no-capability", "capabilities", {"capabilities": None}),
        ("empty-capability", "capabilities", {"capabilities": [""]}),
        ("long-capability", "capabilities", {"capabilities": ["x" * (limits.CAPABILITY_CHARS_MAX + 1)]}),
        ("many-capabilities", "capabilities", {"capabilities": ["x"] * (limits.CAPABILITIES_MAX + 1)}),
        ("no-pricing", "pricing", {"pricing": None}),
        ("no-json", "pricing", {"pricing": "1.50"}),
        ("broken-json", "pricing", {"pricing": "{"}),
        ("price-0", "pricing", {"pricing": '{"per_execution":0}'}),
        ("price-text", "pricing", {"pricing": '{"per_execution":"1"}'}),
        ("resources-list", "resources", {"resources": "[]"}),
        ("metadata-big", "metadata", {"metadata": '{"a":"' + "x" * limits.FORM_JSON_BYTES_MAX + '"}'}),
        ("metadata-deep", "metadata", {"metadata": '{"a":' + "[" * 64 + "]" * 64 + "}"}),
        ("version", "version", {"version": "no version"}),
    ):
        pricing = {"pricing": msgspec.json.encode(per).decode()}
        form = Form(fields_of(stage, **{**pricing, **changes}), File("wasm_binary", WASM))
        await _refused(stage, name, form, field)
    for name, content in (
        ("no-wasm", b"\x7fELF" + WASM),
        ("wasm-2", b"\x00asm\x02\x00\x00\x00" + WASM),
        ("short", WASM[:1023]),
    ):
        await _refused(stage, name, Form(fields_of(stage), File("wasm_binary", content)), "wasm_binary")
    await _refused(stage, "no-file", Form(fields_of(stage)), "wasm_binary")
    query = {"q": stage.named("Mender")}
    await stage.ask(stage.user, "search_agents", "REST-REGISTER-2/none-made", query=query, body_has={"total": 0})


async def _refused(stage: Stage, name: str, form: Form, field: str) -> None:
    case = f"REST-REGISTER-2/{name}"
    answer = await stage.ask(
        stage.user, "register_agent", case, form=form, status=[400], details_has=field.split(".", maxsplit=1)[0]
    )
    if answer.status == 201:
        stage.target.made(stage.user, "delete_agent", read_as(answer, _Registered).agent_id)


async def a_binary_announced_too_large(stage: Stage) -> None:
    """REST-REGISTER-2: 413 by its length alone, before any of it has come."""
    operation, url = BY_NAME["register_agent"], stage.target.profile.api
    head = (
        f"POST {operation.path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: {PARTED}\r\n"
        f"Authorization: Bearer {stage.user.token}\r\nContent-Length: {2 * limits.BINARY_BYTES_MAX}\r\n\r\n"
    ).encode()
    case, tls = "REST-REGISTER-2/too-large", stage.target.endpoint.tls
    await exchange(stage.recorder, url, tls, head, case=case, expect=expect(status=[413]), path=operation.path)


async def changing_an_agent(stage: Stage) -> None:
    """REST-UPDATE-1 and REST-UPDATE-2: field by field, by its owner alone."""
    stage.two_people()
    agent = await register(stage, stage.user)
    path = {"id": agent}
    state: dict[str, Any] = {"name": stage.named("Mender"), "price": PRICE, "status": "active"}
    for field, value in (
        ("price", 1.25),
        ("name", stage.named("Renamed \N{GRINNING FACE}")),
        ("status", "inactive"),
        ("description", ""),
        ("capabilities", ["zsh-one"]),
    ):
        state[field] = value
        case = f"REST-UPDATE-1/{field}"
        await stage.ask(stage.user, "update_agent", case, path=path, body={field: value}, status=[200], body_has=state)
        await stage.ask(stage.other, "get_agent", f"{case}-shown", path=path, status=[200], body_has=state)
    for name, session, status, body in (
        ("anothers", stage.other, 403, {"price": 2}),
        ("nothing-given", stage.user, 400, {}),
        ("only-unknown", stage.user, 400, {"owner_id": stage.other.account_id}),
        ("price-0", stage.user, 400, {"price": 0}),
        ("status", stage.user, 400, {"status": "gone"}),
        ("request-before-owner", stage.other, 400, {"price": "free"}),
    ):
        case = f"REST-UPDATE-2/{name}"
        await stage.ask(session, "update_agent", case, path=path, body=body, status=[status])
    await stage.ask(stage.user, "get_agent", "REST-UPDATE-2/unchanged", path=path, status=[200], body_has=state)
    await stage.ask(stage.user, "delete_agent", path=path)


async def deleting_an_agent(stage: Stage) -> None:
    """REST-DELETE-1: by its owner alone, and once."""
    stage.two_people()
    agent = await register(stage, stage.user)
    path = {"id": agent}
    await stage.ask(stage.other, "delete_agent", "REST-DELETE-1/anothers", path=path, status=[403])
    wanted = {"agent_id": agent, "status": "deleted"}
    await stage.ask(stage.user, "delete_agent", "REST-DELETE-1/own", path=path, status=[200], body_has=wanted)
    for name, operation in (("shown", "get_agent"), ("again", "delete_agent"), ("versions", "list_versions")):
        await stage.ask(stage.user, operation, f"REST-DELETE-1/{name}", path=path, status=[404])


class _Deployed(Struct):
    id: str


async def deployments_of_a_deleted_agent(stage: Stage) -> None:
    """REST-DELETE-2: whoever made them."""
    agent = await register(stage, stage.user)
    made = []
    for session in (stage.user, stage.other):
        answer = await stage.ask(session, "deploy", body={"agent_id": agent})
        made.append((session, read_as(answer, _Deployed).id))
        stage.target.made(session, "stop_deployment", made[-1][1])
    await stage.ask(stage.user, "delete_agent", path={"id": agent})
    for number, (session, deployment) in enumerate(made):
        case = f"REST-DELETE-2/stopped-{number}"
        stopped = {"status": "stopped", "agent_id": agent}
        await stage.ask(session, "get_deployment", case, path={"id": deployment}, status=[200], body_has=stopped)


async def searching(stage: Stage) -> None:
    """REST-SEARCH-1: against what was registered; signs that a database would read are plain letters."""
    agent = await register(stage, stage.user, description="Finds a n\u00e9edle, \\ and [brackets].")
    mark = stage.named("")
    for name, words, total in (
        ("name", f"{mark}mENDER", 1),
        ("capability", "ZSH 100%_LIT", None),
        ("percent", f"{mark}%", 0),
        ("underscore", f"{mark}_ender", 0),
        ("backslash", f"{mark}\\", 0),
        ("quote", f"{mark}' OR 1=1 --", 0),
    ):
        wanted: dict[str, Any] = {"query": words} if total is None else {"query": words, "total": total}
        case = f"REST-SEARCH-1/{name}"
        await stage.ask(stage.user, "search_agents", case, query={"q": words}, status=[200], body_has=wanted)
    await stage.ask(stage.user, "list_agents", "REST-SEARCH-1/as-in-the-list", query={"search": f"{mark}mENDER"},
                    status=[200], body_has={"total": 1, "agents.0.id": agent})  # fmt: skip
    await stage.ask(stage.user, "delete_agent", path={"id": agent})


async def changes_are_pushed(stage: Stage) -> None:
    """RT-AGENT-1: everyone is told of each change once."""
    watchers = [await stage.dialed(stage.user), await stage.dialed(stage.other)]
    agent = await register(stage, stage.user)
    path = {"id": agent}
    await stage.ask(stage.user, "update_agent", path=path, body={"price": 2})
    await stage.ask(stage.user, "delete_binary", path=path)
    await stage.ask(stage.other, "update_agent", path=path, body={"price": 3})
    await stage.ask(stage.user, "delete_agent", path=path)
    for socket in watchers:
        await socket.wait(lambda socket=socket: _told(socket.messages, agent) >= 4, PUSHED_S_MAX)  # type: ignore[misc]
        # One push too many may follow.
        await answered(socket)
        await socket.leave()


def _told(messages: list[Any], agent: str) -> int:
    about = [message.get("data") for message in messages if isinstance(message, dict)]
    return sum(isinstance(data, dict) and data.get("agent_id") == agent for data in about)


async def tasks_of_an_agent_that_goes_away(stage: Stage) -> None:
    """TASK-AWAY-1: of three agents that fit, the one that has the task goes inactive, then the next is deleted."""
    price: dict[str, Any] = {"pricing": '{"per_execution":0.001}', "capabilities": [QUERY_CAPABILITY]}
    left = {await register(stage, stage.user, name=stage.named(f"Leaver {n}"), **price) for n in range(3)}
    # Steered to last, never to its end: who takes the task is all that is asked.
    task = await stage.submit(stage.user, "handed on", budget=BELOW_ALL, constraints=HANG, timeout=60)
    had_by: list[str] = []
    for name, operation, body in (
        ("inactive", "update_agent", {"status": "inactive"}),
        ("deleted", "delete_agent", None),
    ):
        has_it = await _runs_on(stage, task, left)
        left.discard(has_it)
        had_by.append(has_it)
        await stage.ask(stage.user, operation, path={"id": has_it}, body=body)
        taken_by = await _runs_on(stage, task, left)
        wanted = {"assigned_to": taken_by, "status": "running", "retry_count": 0}
        await stage.ask(stage.user, "get_task", f"TASK-AWAY-1/{name}", path={"id": task}, body_has=wanted)
    await stage.ask(stage.user, "cancel_task", path={"id": task})
    for agent in (had_by[0], *left):
        await stage.ask(stage.user, "delete_agent", path={"id": agent})


async def _runs_on(stage: Stage, task: str, agents: set[str]) -> str:
    """Wait until the task runs on one of these agents and return which; after that time one that it should be on."""
    until = asyncio.get_running_loop().time() + MOVED_S_MAX
    while asyncio.get_running_loop().time() < until:
        read = read_as(await stage.ask(stage.user, "get_task", path={"id": task}), _Running)
        if read.status == "running" and read.assigned_to in agents:
            return str(read.assigned_to)
        await asyncio.sleep(POLL_S)
    return min(agents)


ACTS: Final = (
    Act(("TASK-AWAY-1",), tasks_of_an_agent_that_goes_away, alone=True),
    Act(("REST-REGISTER-1",), registering_an_agent),
    Act(("REST-REGISTER-2",), wrong_registrations),
    Act(("REST-REGISTER-2",), a_binary_announced_too_large, socket=True),
    Act(("REST-UPDATE-1", "REST-UPDATE-2"), changing_an_agent),
    Act(("REST-DELETE-1",), deleting_an_agent),
    Act(("REST-DELETE-2",), deployments_of_a_deleted_agent),
    Act(("REST-SEARCH-1",), searching),
    Act(("RT-AGENT-1",), changes_are_pushed, socket=True),
)
