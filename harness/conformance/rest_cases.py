"""REST: conventions, bodies, fields, and what each operation gives back (contract §§1, 3)."""

import asyncio
from itertools import combinations
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from harness.checkers.expectations import expect
from harness.client.rest import Request, bearer, session_of
from harness.conformance.stage import Stage, read_as
from harness.conformance.suite import Act, Row
from reference_server.contract import limits
from reference_server.contract.codes import PRECEDENCE
from reference_server.contract.operations import BASE
from reference_server.contract.seeded_agents import SEEDED_AGENTS

UNKNOWN_ID: Final = str(UUID(int=0x0F0F_4F0F_8F0F << 64 | 0x0F, version=4))
TASK: Final = {"query": "zsh a row of the suite", "budget": 1}
SUBMIT: Final = f"{BASE}/tasks/submit"
OK_PERSON: Final = {"email": "zsh-row@example.com", "password": "long enough 1", "full_name": "A Row"}


def nested(levels: int) -> bytes:
    """Return a submit's body in which JSON is `levels` deep, the outermost counting as 1."""
    inner = levels - 2
    return b'{"query":"zsh deep","budget":1,"constraints":{"a":' + b"[" * inner + b"]" * inner + b"}}"


def _submit(**fields: Any) -> dict[str, Any]:
    return {**TASK, **fields}


def _field(name: str, field: str, operation: str = "submit_task", **row: Any) -> Row:
    who: Any = "nobody" if operation == "register" else "user"
    return Row("REST-FIELD-1", name, {"status": [400], "details_has": field}, operation, who, **row)


ROUTES: Final = (
    Row("REST-ROUTE-1", "unknown", {"status": [404]}, who="nobody", path=f"{BASE}/nothing/here"),
    Row("REST-ROUTE-1", "below-a-route", {"status": [404]}, who="nobody", path=f"{BASE}/users/me/more"),
    Row("REST-ROUTE-2", "wrong-method", {"status": [405], "header": {"allow": "*"}}, method="PUT",
        path=f"{BASE}/tasks"),
    Row("REST-ROUTE-2", "delete-login", {"status": [405], "header": {"allow": "*"}}, who="nobody", method="DELETE",
        path=f"{BASE}/users/login"),
    Row("REST-ID-1", "no-uuid", {"status": [404]}, "get_task", ids={"id": "not-a-uuid"}),
    Row("REST-ID-1", "null-byte", {"status": [404]}, "get_task", ids={"id": "%00"}),
    Row("REST-ID-1", "cancel", {"status": [404]}, "cancel_task", ids={"id": "..%2F.."}),
    Row("REST-ID-1", "agent", {"status": [404]}, "get_agent", ids={"id": "agent_x"}),
    Row("REST-HEALTH-1", "healthy", {"status": [200], "body_has": {"status": "healthy"}}, "health", "nobody"),
    Row("REST-READY-1", "ready", {"status": [200], "body_has": {"status": "ready"}}, "ready", "nobody"),
    Row("REST-METRICS-1", "text", {"status": [200], "header": {"content-type": "text/plain*"}}, "metrics", "nobody"),
    Row("REST-AGENT-3", "unknown", {"status": [404]}, "get_agent", ids={"id": UNKNOWN_ID}),
)  # fmt: skip

TOO_LARGE: Final = b" " * (limits.JSON_BODY_BYTES_MAX + 1)
WRONGS: Final[dict[str, tuple[int, dict[str, Any]]]] = {
    "no_route": (404, {"path": f"{BASE}/nothing"}),
    "method": (405, {"method": "PUT"}),
    "credential": (401, {"who": "nobody"}),
    "role": (403, {"path": f"{BASE}/ws/broadcast"}),
    "size": (413, {"raw": TOO_LARGE}),
    "content_type": (415, {"content_type": "text/plain"}),
    "request": (400, {"raw": b"{"}),
}
"""By the words of `PRECEDENCE`, what a submit that has this wrong is answered, and how it is made wrong."""


def _both(first: str, second: str) -> Row:
    """Return a submit in which two things are wrong: the first of them is told."""
    status, wrong = WRONGS[first]
    made = {"method": "POST", "path": SUBMIT, "body": TASK, **WRONGS[second][1], **wrong}
    return Row("REST-ORDER-1", f"{first}-before-{second}", {"status": [status]}, **made)


ORDER: Final = (
    # What is refused by its head may be answered before a large body was read, and the sender cut off by that.
    *(_both(*two) for two in combinations([word for word in PRECEDENCE if word in WRONGS], 2) if two[1] != "size"),
    Row("REST-ORDER-1", "request-before-object", {"status": [400]}, "update_agent", raw=b"{", ids={"id": UNKNOWN_ID}),
)  # fmt: skip

BODIES: Final = (
    Row("REST-TYPE-1", "text", {"status": [415]}, "submit_task", body=TASK, content_type="text/plain"),
    Row("REST-TYPE-1", "form", {"status": [415]}, "submit_task", raw=b"query=a&budget=1",
        content_type="application/x-www-form-urlencoded"),
    Row("REST-TYPE-1", "none", {"status": [415]}, "submit_task", body=TASK, content_type=None),
    Row("REST-SIZE-1", "over", {"status": [413]}, "submit_task", raw=TOO_LARGE),
    Row("REST-BODY-1", "broken", {"status": [400]}, "submit_task", raw=b'{"query":'),
    Row("REST-BODY-1", "empty", {"status": [400]}, "submit_task", raw=b" "),
    Row("REST-BODY-1", "list", {"status": [400]}, "submit_task", raw=b"[]"),
    Row("REST-BODY-1", "string", {"status": [400]}, "submit_task", raw=b'"x"'),
    Row("REST-BODY-1", "trailing", {"status": [400]}, "submit_task", raw=b'{"query":"a","budget":1}{}'),
    Row("REST-BODY-1", "not-utf-8", {"status": [400]}, "submit_task", raw=b'{"query":"\xff","budget":1}'),
    Row("REST-BODY-1", "byte-order-mark", {"status": [400]}, "submit_task",
        raw=b'\xef\xbb\xbf{"query":"a","budget":1}'),
    Row("REST-BODY-1", "not-a-number", {"status": [400]}, "submit_task", raw=b'{"query":"a","budget":NaN}'),
    *(
        Row("REST-BODY-4", f"{name}-{place}", {"status": [400]}, "submit_task", raw=body % sign)
        for name, sign in (("null", b"\\u0000"), ("high", b"\\ud800"), ("low", b"\\udc00"))
        for place, body in (
            ("value", b'{"query":"a%sb","budget":1}'),
            ("name", b'{"query":"a","budget":1,"x%s":1}'),
            ("deep", b'{"query":"a","budget":1,"constraints":{"a":[{"b%s":"c"}]}}'),
        )
    ),
    Row("REST-BODY-5", "too-deep", {"status": [400]}, "submit_task", raw=nested(limits.JSON_DEPTH_MAX + 1)),
    Row("REST-BODY-5", "far-too-deep", {"status": [400]}, "submit_task", raw=nested(100_000)),
)  # fmt: skip

FIELDS: Final = (
    _field("no-query", "query", body={"budget": 1}),
    _field("empty-query", "query", body=_submit(query="")),
    _field("long-query", "query", body=_submit(query="x" * (limits.QUERY_CHARS_MAX + 1))),
    _field("number-query", "query", body=_submit(query=7)),
    _field("no-budget", "budget", body={"query": "zsh a"}),
    _field("budget-0", "budget", body=_submit(budget=0)),
    _field("budget-text", "budget", body=_submit(budget="1")),
    _field("timeout-0", "timeout", body=_submit(timeout=0)),
    _field("timeout-301", "timeout", body=_submit(timeout=limits.TASK_TIMEOUT_S_MAX + 1)),
    _field("priority", "priority", body=_submit(priority="urgent")),
    _field("constraints-list", "constraints", body=_submit(constraints=[])),
    _field("constraints-big", "constraints", body=_submit(constraints={"a": "x" * limits.CONSTRAINTS_BYTES_MAX})),
    _field("tasks-limit-0", "limit", "list_tasks", query={"limit": "0"}),
    _field("tasks-limit-201", "limit", "list_tasks", query={"limit": str(limits.TASKS_LIMIT_MAX + 1)}),
    _field("tasks-offset", "offset", "list_tasks", query={"offset": "-1"}),
    _field("tasks-status", "status", "list_tasks", query={"status": "done"}),
    _field("agents-page-0", "page", "list_agents", query={"page": "0"}),
    _field("agents-limit-101", "limit", "list_agents", query={"limit": str(limits.AGENTS_LIMIT_MAX + 1)}),
    _field("agents-sort", "sort", "list_agents", query={"sort": "luck"}),
    _field("agents-limit-text", "limit", "list_agents", query={"limit": "ten"}),
    _field("email", "email", "register", body={**OK_PERSON, "email": "not an address"}),
    _field("email-trimmed", "email", "register", body={**OK_PERSON, "email": " a@example.com"}),
    _field("password-short", "password", "register", body={**OK_PERSON, "password": "1234567"}),
    _field("password-long", "password", "register", body={**OK_PERSON, "password": "ä" * 37}),
    _field("name-blank", "full_name", "register", body={**OK_PERSON, "full_name": "  "}),
    _field("name-long", "full_name", "register", body={**OK_PERSON, "full_name": "x" * 101}),
)
ROWS: Final = (*ROUTES, *ORDER, *BODIES, *FIELDS)


async def unknown_fields_and_doubled_names(stage: Stage) -> None:
    """REST-BODY-2 and REST-BODY-3."""
    first, last = stage.named("first"), stage.named("last")
    raw = f'{{"query":"{first}","unknown":[1],"query":"{last}","budget":1}}'.encode()
    row = Row("REST-BODY-2", "accepted", {"status": [202]}, "submit_task", raw=raw)
    answer = await row.send(stage)
    if isinstance(answer.body, dict) and "task_id" in answer.body:
        task = {"id": str(answer.body["task_id"])}
        await stage.ask(stage.user, "get_task", "REST-BODY-3/last-wins", path=task, body_has={"query": last})


async def the_deepest_body_allowed(stage: Stage) -> None:
    """REST-BODY-5, the valid side of the bound."""
    raw = nested(limits.JSON_DEPTH_MAX).replace(b"zsh deep", stage.named("deep").encode())
    await Row("REST-BODY-5", "deep-enough", {"status": [202]}, "submit_task", raw=raw).send(stage)


async def what_just_fits(stage: Stage) -> None:
    """REST-FIELD-2: a character outside the basic plane counts as one; bounds themselves are allowed."""
    start = stage.named("")
    longest = start + "\N{GRINNING FACE}" * (limits.QUERY_CHARS_MAX - len(start))
    room = limits.CONSTRAINTS_BYTES_MAX - len(msgspec.json.encode({"a": ""}))
    for name, fields in (
        ("query", {"query": longest}),
        ("timeout-least", {"timeout": 1}),
        ("timeout-most", {"timeout": limits.TASK_TIMEOUT_S_MAX}),
        ("constraints", {"constraints": {"a": "x" * room}}),
        ("budget", {"budget": 5e-324}),
    ):
        body = {"query": stage.named(f"just fits: {name}"), "budget": 1, **fields}
        answer = await stage.ask(stage.user, "submit_task", f"REST-FIELD-2/{name}", body=body, status=[202])
        if answer.status == 202:
            path = {"id": str(read_as(answer, _Accepted).task_id)}
            await stage.ask(stage.user, "get_task", f"REST-FIELD-2/{name}-kept", path=path,
                            body_has={"query": body["query"]})  # fmt: skip


async def registering_makes_an_account(stage: Stage) -> None:
    """REST-USER-1 and REST-USER-2: what was given comes back, e-mails compare without case."""
    email = f"Zsh-{stage.run}-Registers@Example.com"
    body = {"email": email, "password": "long enough 1 " + stage.run[:20], "full_name": "Zoë Ångström"}
    shown = {"user.email": email, "user.full_name": body["full_name"]}
    made = await stage.ask(None, "register", "REST-USER-1/made", body=body, status=[201], body_has=shown)
    given = session_of(made)
    if given is not None:
        account_id, token = given
        stage.target.left_behind.append(f"account {email}")
        me = Request(method="GET", operation="me", path=f"{BASE}/users/me", headers=bearer(token))
        wanted = {"id": account_id, "email": email, "full_name": body["full_name"], "role": "user"}
        row = expect(status=[200], body_has=wanted)
        await stage.client.send(me, account=account_id, case="REST-USER-1/me", expect=row)
    for name, other in (("upper", email.upper()), ("lower", email.lower())):
        again = {**body, "email": other, "password": "another one 2"}
        await stage.ask(None, "register", f"REST-USER-2/{name}", body=again, status=[409])


async def registering_at_the_same_time(stage: Stage) -> None:
    """REST-USER-2 under concurrency: a second account of one e-mail would answer `me` with another id."""
    email = f"zsh-{stage.run}-twins@example.com"
    bodies = [
        {"email": word, "password": f"long enough {n}", "full_name": "A Twin"}
        for n, word in enumerate((email, email.upper(), email.title(), email))
    ]
    calls = (stage.ask(None, "register", "REST-USER-2/together", body=body, status=[201, 409]) for body in bodies)
    made = [given for given in map(session_of, await asyncio.gather(*calls)) if given is not None]
    stage.target.left_behind += [f"account {email}"] if made else []
    for account_id, token in made:
        me = Request(method="GET", operation="me", path=f"{BASE}/users/me", headers=bearer(token))
        row = expect(status=[200], body_has={"id": made[0][0]})
        await stage.client.send(me, account=account_id, case="REST-USER-2/one-account", expect=row)
    late = {**bodies[0], "full_name": "Too Late"}
    await stage.ask(None, "register", "REST-USER-2/late", body=late, status=[409])


async def signing_in_again(stage: Stage) -> None:
    """REST-USER-3."""
    person = stage.user.person
    shown = {"user.id": stage.user.account_id}
    body = {"email": person.email, "password": person.password}
    answer = await stage.ask(None, "login", "REST-USER-3/login", body=body, status=[200], body_has=shown)
    if isinstance(answer.body, dict) and isinstance(answer.body.get("user"), dict):
        wanted = {name: answer.body["user"].get(name) for name in ("id", "email", "full_name", "created_at")}
        await stage.ask(stage.user, "me", "REST-USER-3/me", status=[200], body_has=wanted)


async def the_seeded_agents(stage: Stage) -> None:
    """REST-AGENT-1."""
    for agent in SEEDED_AGENTS:
        wanted = {"name": agent.name, "status": agent.status, "price": agent.price, "rating": agent.rating}
        capabilities = {f"capabilities.{n}": word for n, word in enumerate(agent.capabilities)}
        await stage.ask(
            stage.user, "get_agent", f"REST-AGENT-1/{agent.id}", path={"id": agent.id}, status=[200],
            body_has={**wanted, **capabilities, "owner_id": None},
        )  # fmt: skip


class _Accepted(Struct):
    task_id: str


class _Agent(Struct):
    id: str
    name: str
    description: str
    capabilities: list[str]
    status: str
    price: float
    rating: float
    tasks_completed: float
    created_at: str


class _Readable(Struct):
    agents: list[_Agent]


class _Listed(Struct):
    agents: list[dict[str, Any]]
    total: int


async def listing_agents(stage: Stage) -> None:
    """REST-AGENT-2 and REST-AGENT-3: pages, filters, search and sorts against the whole list."""
    answer = await stage.ask(stage.user, "list_agents", query={"limit": "100", "sort": "price"})
    # Read twice: the fields that are computed with must be there, and what is compared is what was answered.
    read_as(answer, _Readable)
    listed = read_as(answer, _Listed)
    agents = listed.agents
    if not agents or len(agents) != listed.total:
        stage.recorder.record(
            "note", text=f"{len(agents)} agents of one page can't be compared", clauses=["REST-AGENT-2"]
        )
        return
    total = len(agents)
    for sort, key in (("price", "price"), ("rating", "rating"), ("tasks", "tasks_completed"), ("recent", "created_at")):
        # A descending sort with ties by ascending id: sort twice, stably.
        by_id = sorted(agents, key=lambda agent: str(agent["id"]))
        ordered = sorted(by_id, key=lambda agent, key=key: agent[key], reverse=sort != "price")  # type: ignore[misc]
        ids = [agent["id"] for agent in ordered]
        for page in (1, 2):
            shown = ids[(page - 1) * 4 : page * 4]
            wanted = {f"agents.{n}.id": one for n, one in enumerate(shown)}
            sizes = {"total": total, "page": page, "limit": 4, "total_pages": -(-total // 4), "agents.#": len(shown)}
            query = {"sort": sort, "limit": "4", "page": str(page)}
            case = f"REST-AGENT-2/{sort}-{page}"
            await stage.ask(stage.user, "list_agents", case, query=query, status=[200], body_has={**wanted, **sizes})
    active = sum(agent["status"] == "active" for agent in agents)
    await stage.ask(stage.user, "list_agents", "REST-AGENT-2/active", query={"status": "active", "limit": "1"},
                    body_has={"total": active})  # fmt: skip
    word = str(agents[0]["name"])[1:].swapcase()
    await stage.ask(stage.user, "list_agents", "REST-AGENT-2/search", query={"search": word},
                    body_has={"total": sum(_mentions(agent, word) for agent in agents)})  # fmt: skip
    await stage.ask(stage.user, "list_agents", "REST-AGENT-2/literal", query={"search": "%_\\"}, body_has={"total": 0})
    first = {name: agents[0][name] for name in ("id", "name", "price", "status", "rating", "created_at")}
    await stage.ask(stage.user, "get_agent", "REST-AGENT-3/same", path={"id": str(first["id"])}, body_has=first)


def _mentions(agent: dict[str, Any], word: str) -> bool:
    texts = [agent["name"], agent["description"], *agent["capabilities"]]
    return any(word.lower() in str(text).lower() for text in texts)


ACTS: Final = (
    Act(("REST-BODY-2", "REST-BODY-3"), unknown_fields_and_doubled_names),
    Act(("REST-BODY-5",), the_deepest_body_allowed),
    Act(("REST-FIELD-2",), what_just_fits),
    Act(("REST-USER-1", "REST-USER-2"), registering_makes_an_account),
    Act(("REST-USER-2",), registering_at_the_same_time),
    Act(("REST-USER-3",), signing_in_again),
    Act(("REST-AGENT-1",), the_seeded_agents),
    Act(("REST-AGENT-2", "REST-AGENT-3"), listing_agents),
)
