"""Fronts and decisions that are wrong in what they do for REST; the rows of `catalog_rest` name them.

What one line of `front` says stands there. Here is what remembers something, or reaches into the store.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from harness.mutants.front import Asked, Body, Front, MakeFront, said, saying
from harness.mutants.parts import Asgi
from reference_server.contract import limits
from reference_server.contract.models import ApiKeyRevoked, Message
from reference_server.contract.operations import SearchQuery, VersionQuery
from reference_server.core.answers import Answer, Decision, Everyone, Publish, Revoke
from reference_server.core.calls import Call, Caller, Context, Head
from reference_server.core.decisions import Decide
from reference_server.core.rows import replaced_key
from reference_server.core.transaction import Transaction
from reference_server.operations import Decisions, default_decisions

SOME_ID: Final = "00000000-0000-4000-8000-000000000000"
ACCEPTED: Final[Body] = {"task_id": SOME_ID, "status": "queued"}


def answering(change: Callable[[Asked, Answer], Answer]) -> MakeFront:
    """Return a front that changes answers by this function, which remembers nothing."""
    return lambda: Front(answer=change)


def called_text(_: Asked, answer: Answer) -> Answer:
    """Call JSON a text."""
    return replace(answer, media="text/plain")


def silent_refusals(_: Asked, answer: Answer) -> Answer:
    """Refuse a method without naming those that are possible."""
    return replace(answer, headers=()) if answer.status == 405 else answer


def open_to_everyone(_: Asked, answer: Answer) -> Answer:
    """Let pages of every origin read answers."""
    return replace(answer, headers=(*answer.headers, ("Access-Control-Allow-Origin", "*")))


def bare_pictures(asked: Asked, answer: Answer) -> Answer:
    """Serve pictures without the policy that keeps them from running anything."""
    return replace(answer, headers=()) if asked.operation == "get_avatar" else answer


def other_etag(asked: Asked, answer: Answer) -> Answer:
    """Serve a binary with an ETag that is not its hash."""
    return replace(answer, headers=(("ETag", '"1"'),)) if asked.operation == "get_binary" else answer


def metrics_without_sockets(asked: Asked, answer: Answer) -> Answer:
    """Leave the series of sockets out of the metrics."""
    if asked.operation != "metrics" or not isinstance(answer.body, str):
        return answer
    lines = (line for line in answer.body.splitlines(keepends=True) if "_ws_" not in line)
    return replace(answer, body="".join(lines))


def unknown_fields_refused(asked: Asked, answer: Answer) -> Answer:
    """Refuse a submit for a field that is not known."""
    return Answer(400, said(answer)) if answer.status == 202 and b'"unknown"' in asked.body else answer


def counts_bytes(asked: Asked, answer: Answer) -> Answer:
    """Refuse a query by its bytes, not its characters."""
    return Answer(400, said(answer)) if answer.status == 202 and len(asked.body) > 20_000 else answer


def limits_preflights(application: Asgi) -> Asgi:
    """Count a preflight as a call of the address that it comes from, and refuse it as one."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            sent: list[Any] = []

            async def keep(message: Any) -> None:
                sent.append(message)

            await application({**scope, "method": "GET"}, receive, keep)
            if sent[0]["status"] == 429:
                for message in sent:
                    await send(message)
                return
        await application(scope, receive, send)

    return served


def skips_on_later_pages(asked: Asked, answer: Answer) -> Answer:
    """Leave out the first task of every page but the first."""
    if asked.operation != "list_tasks" or "offset=" not in asked.head.query or "offset=0" in asked.head.query:
        return answer
    body = said(answer)
    return saying(answer, {**body, "tasks": body["tasks"][1:]})


def keys_may_not_submit(asked: Asked, answer: Answer) -> Answer:
    """Refuse a task that comes with an API key."""
    by_key = asked.caller is not None and asked.caller.key_id is not None
    return Answer(403, said(answer)) if by_key and asked.operation == "submit_task" else answer


def tells_who_is_there(asked: Asked, answer: Answer) -> Answer:
    """Say at a login that nobody has this e-mail."""
    unknown = answer.status == 401 and b"nobody" in asked.body
    return saying(answer, {**said(answer), "message": "nobody has this e-mail"}) if unknown else answer


def only_the_usual_case(head: Head) -> Head:
    """Know the scheme as `Bearer` only."""
    given = head.headers.get("authorization", "Bearer ")
    if given.startswith("Bearer "):
        return head
    kept = {name: value for name, value in head.headers.items() if name != "authorization"}
    return replace(head, headers=kept)


def only_a_bare_connection(head: Head) -> Head:
    """Know the header Connection with a single option only."""
    kept = {name: value for name, value in head.headers.items() if name != "connection" or "," not in value}
    return replace(head, headers=kept)


def first_name_wins(operation: str, body: bytes) -> bytes:
    """Let the first of doubled names win."""
    before, found, after = body.rpartition(b'"query"')
    return before + b'"ignored"' + after if operation == "submit_task" and found and b'"query"' in before else body


def counts_canceled() -> Front:
    """Count canceled tasks as processed."""
    canceled = [0]

    def answer(asked: Asked, given: Answer) -> Answer:
        if asked.operation == "cancel_task" and given.status == 200:
            canceled[0] += 1
        if asked.operation == "orchestrator_metrics" and given.status == 200:
            body = said(given)
            return saying(given, {**body, "tasks_processed": body["tasks_processed"] + canceled[0]})
        return given

    return Front(answer=answer)


def revokes_once() -> Front:
    """Call a key unknown that was revoked before."""
    revoked: set[str] = set()

    def answer(asked: Asked, given: Answer) -> Answer:
        if asked.operation != "revoke_api_key" or given.status != 200:
            return given
        again = asked.head.path in revoked
        revoked.add(asked.head.path)
        return Answer(404, {"error": "not found", "message": "There is no such key."}) if again else given

    return Front(answer=answer)


def reversed_list(name: str) -> Callable[[Body], Body]:
    """Return an edit that turns a list round."""
    return lambda body: {**body, name: body[name][::-1]}


def each_in(name: str, change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Return an edit of every member of a list."""
    return lambda body: {**body, name: [change(one) for one in body[name]]}


def in_small_letters(body: Body) -> Body:
    """Return the user of a session with their e-mail in small letters."""
    return {**body["user"], "email": body["user"]["email"].lower()}


def only_active_keys(body: Body) -> Body:
    """List the keys that work, as if there were no others."""
    keys = [key for key in body["api_keys"] if key["status"] == "active"]
    return {**body, "api_keys": keys, "total": len(keys)}


# --- decisions

Change = Callable[[Decide, Transaction, Call, Context], Decision]


def deciding(change: Change, *operations: str) -> Callable[[], Decisions]:
    """Return decisions in which these operations are decided by `change`, which is given the honest one."""

    def made() -> Decisions:
        honest = default_decisions()

        def wrapped(name: str) -> Decide:
            return lambda tx, call, context: change(honest[name], tx, call, context)

        return {**honest, **{name: wrapped(name) for name in operations}}

    return made


def as_owner(of: Callable[[Transaction, str], Any], owner: str) -> Change:
    """Return a decision that takes whoever asks for the owner of what the path names."""

    def decide(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
        row = of(tx, call.path["id"])
        if row is None or call.caller is None:
            return honest(tx, call, context)
        mine: Caller = replace(call.caller, account_id=getattr(row, owner))
        return honest(tx, replace(call, caller=mine), context)

    return decide


def logout_forgets(_: Decide, __: Transaction, ___: Call, ____: Context) -> Decision:
    """Say goodbye and revoke nothing."""
    return Decision(Answer(200, Message("signed out")))


def logout_takes_keys(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Revoke the account's API keys with its tokens."""
    for key in tx.keys_of(call.caller.account_id, limits.LISTED_MAX)[0] if call.caller is not None else ():
        tx.put_key(replaced_key(key, status="revoked"))
    return honest(tx, call, context)


def revoke_forgets(_: Decide, __: Transaction, call: Call, ___: Context) -> Decision:
    """Call a key revoked and let it work on."""
    return Decision(Answer(200, ApiKeyRevoked(call.path["id"], "revoked")))


def delete_forgets(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Tell of the end of an agent and keep it."""
    before = tx.agent(call.path["id"])
    decision = honest(tx, call, context)
    if before is not None:
        tx.put_agent(before)
    return replace(decision, dropped=())


def delete_leaves_deployments(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Delete an agent and let its deployments run."""
    before = list(tx.deployments_on(call.path["id"]))
    decision = honest(tx, call, context)
    for deployment in before:
        tx.put_deployment(deployment)
    return decision


def search_with_wildcards(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Take `%` for any letters."""
    query = call.query
    if not isinstance(query, SearchQuery):
        return honest(tx, call, context)
    decision = honest(tx, replace(call, query=SearchQuery(query.q.replace("%", "").strip() or query.q)), context)
    return replace(decision, answer=saying(decision.answer, {**said(decision.answer), "query": query.q}))


def of_the_oldest_version(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Take the first uploaded version where none is named."""
    versions, _ = tx.versions_of(call.path["id"], None)
    if isinstance(call.query, VersionQuery) and call.query.version is None and versions:
        named = msgspec.structs.replace(call.query, version=versions[-1].version)
        return honest(tx, replace(call, query=named), context)
    return honest(tx, call, context)


def tells_twice(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Publish everything twice."""
    decision = honest(tx, call, context)
    return replace(decision, outgoing=(*decision.outgoing, *decision.outgoing))


def tells_nobody(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Publish nothing."""
    return replace(honest(tx, call, context), outgoing=())


def tells_everyone(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Publish to everyone what is for one account."""
    decision = honest(tx, call, context)
    told = (replace(one, audience=Everyone()) if isinstance(one, Publish) else one for one in decision.outgoing)
    return replace(decision, outgoing=tuple(told))


def revokes_quietly(honest: Decide, tx: Transaction, call: Call, context: Context) -> Decision:
    """Revoke, and leave open sockets alone."""
    decision = honest(tx, call, context)
    return replace(decision, outgoing=tuple(one for one in decision.outgoing if not isinstance(one, Revoke)))


# --- heads


def without_header(name: str) -> Callable[[Head], Head]:
    """Return a head that lacks a header."""
    return lambda head: replace(head, headers={key: value for key, value in head.headers.items() if key != name})


def subprotocol_first(head: Head) -> Head:
    """Look at the header only where no subprotocol carries a token."""
    carried = "bearer." in head.headers.get("sec-websocket-protocol", "")
    return without_header("authorization")(head) if carried else head
