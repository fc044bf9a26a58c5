"""API keys: made once, listed, used where a token stands, revoked, and told of (contract §§2, 3 users, 5 system)."""

import asyncio
from typing import Any, Final

from msgspec import Struct

from harness.checkers.expectations import expect
from harness.client.rest import RecordedSession, bearer, request_for
from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.socket_cases import answered, wait_pushed
from harness.conformance.stage import POLL_S, NotAcceptedError, Stage, Submitted, read_as
from harness.conformance.suite import Act, Row
from reference_server.contract import limits
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL

NOTED_S_MAX: Final = 3.0
CLOSED_S_MAX: Final = 4.0
CLOSED_MS_MAX: Final = 3000
"""A second that the contract allows, and what a loaded machine may add."""

WARNING: Final = {"type": "system", "data.level": "warning"}


def _field(case: str, field: str, **body: Any) -> Row:
    return Row("REST-FIELD-1", f"key-{case}", {"status": [400], "details_has": field}, "make_api_key", body=body)


ROWS: Final = (
    _field("no-name", "name", environment="live"),
    _field("blank-name", "name", name="  ", environment="live"),
    _field("long-name", "name", name="x" * (limits.NAME_CHARS_MAX + 1), environment="live"),
    _field("no-environment", "environment", name="zsh"),
    _field("other-environment", "environment", name="zsh", environment="production"),
    Row("REST-KEY-3", "unknown", {"status": [404]}, "revoke_api_key", ids={"id": UNKNOWN_ID}),
    Row("REST-KEY-3", "malformed", {"status": [404]}, "revoke_api_key", ids={"id": "not-a-uuid"}),
)


class _Made(Struct):
    id: str
    key: str


class _Key(Struct):
    last_used_at: str | None = None


class _Listed(Struct):
    api_keys: list[_Key]


async def _make(
    stage: Stage, session: RecordedSession, name: str, environment: str = "live", case: str | None = None
) -> _Made:
    """Make a key of the session's account; raises NotAcceptedError."""
    body = {"name": stage.named(name), "environment": environment}
    shown = {**body, "key": f"zs_{environment}_***", "prefix": f"zs_{environment}_", "status": "active"}
    wanted = {**shown, "last_used_at": None}
    answer = await stage.ask(session, "make_api_key", case, body=body, status=[201], body_has=wanted)
    made = read_as(answer, _Made)
    stage.target.made(session, "revoke_api_key", made.id)
    return made


async def made_and_listed(stage: Stage) -> None:
    """REST-KEY-2, REST-KEY-1 and SEC-KEY-5: the key is there once, and in no list, revoked or not."""
    session = await stage.newcomer("keyholder")
    live = await _make(stage, session, "first", "live", "REST-KEY-2/live")
    test = await _make(stage, session, "second", "test", "REST-KEY-2/test")
    both: dict[str, Any] = {
        "total": 2, "api_keys.#": 2, "api_keys.0.id": test.id, "api_keys.1.id": live.id,
        "api_keys.0.last4": test.key[-4:], "api_keys.1.environment": "live", "api_keys.1.status": "active",
    }  # fmt: skip
    await stage.ask(session, "list_api_keys", "REST-KEY-1/both", status=[200], body_has=both)
    await stage.ask(session, "revoke_api_key", path={"id": live.id})
    both["api_keys.1.status"] = "revoked"
    await stage.ask(session, "list_api_keys", "REST-KEY-1/revoked", status=[200], body_has=both)
    hidden = {"api_keys.0.prefix": "zs_test_", "api_keys.1.prefix": "zs_live_"}
    await stage.ask(session, "list_api_keys", "SEC-KEY-5/list", status=[200], body_has=hidden,
                    body_lacks=["api_keys.0.key", "api_keys.1.key", "api_keys.0.key_hash"])  # fmt: skip


async def used_as_a_token(stage: Stage) -> None:
    """SEC-KEY-1 and REST-KEY-4: calls are its account's, and that it was used is told."""
    session = await stage.newcomer("keyholder")
    made = await _make(stage, session, "used")
    mine = {"id": session.account_id}
    await stage.ask(session, "me", "SEC-KEY-1/me", token=made.key, status=[200], body_has=mine)
    body = {"query": stage.named("by key"), "budget": 1}
    answer = await stage.ask(session, "submit_task", "SEC-KEY-1/submit", token=made.key, body=body, status=[202])
    if answer.status == 202:
        task = {"id": read_as(answer, Submitted).task_id}
        owner = {"user_id": session.account_id}
        await stage.ask(session, "get_task", "SEC-KEY-1/task", path=task, status=[200], body_has=owner)
    await _wait_noted(stage, session)
    used = {"api_keys.0.last_used_at": None}
    await stage.ask(session, "list_api_keys", "REST-KEY-4/used", status=[200], body_not=used)


async def _wait_noted(stage: Stage, session: RecordedSession) -> None:
    """Wait until it is written when the key was used, which may come later: a busy key must not cost a write a call."""
    until = asyncio.get_running_loop().time() + NOTED_S_MAX
    while asyncio.get_running_loop().time() < until:
        listed = await stage.ask(session, "list_api_keys")
        if listed.status != 200 or any(key.last_used_at for key in read_as(listed, _Listed).api_keys):
            return
        await asyncio.sleep(POLL_S)


async def what_a_key_may_not(stage: Stage) -> None:
    """SEC-KEY-2: no logout and no managing of keys, whatever else is wrong with the request; and it works on."""
    session = await stage.newcomer("keyholder")
    made = await _make(stage, session, "may not")
    named = {"name": stage.named("by a key"), "environment": "live"}
    for name, operation, path, body in (
        ("logout", "logout", None, None),
        ("logout-all", "logout", None, {"all": True}),
        ("list", "list_api_keys", None, None),
        ("make", "make_api_key", None, named),
        ("make-wrong", "make_api_key", None, {}),
        ("revoke", "revoke_api_key", {"id": made.id}, None),
        ("revoke-unknown", "revoke_api_key", {"id": UNKNOWN_ID}, None),
    ):
        await stage.ask(session, operation, f"SEC-KEY-2/{name}", token=made.key, path=path, body=body, status=[403])
    typed = request_for("make_api_key", body=named, headers=(*bearer(made.key), ("Content-Type", "text/plain")))
    await stage.client.send(typed, account=session.account_id, case="SEC-KEY-2/before-415", expect=expect(status=[403]))
    await stage.ask(session, "me", "SEC-KEY-2/works-on", token=made.key, status=[200])


async def revoking(stage: Stage) -> None:
    """REST-KEY-3 and SEC-KEY-3: at once, and again without harm."""
    session = await stage.newcomer("keyholder")
    made, kept = await _make(stage, session, "revoked"), await _make(stage, session, "kept")
    path, wanted = {"id": made.id}, {"id": made.id, "status": "revoked"}
    for name in ("first", "again"):
        await stage.ask(session, "revoke_api_key", f"REST-KEY-3/{name}", path=path, status=[200], body_has=wanted)
        await stage.ask(session, "me", f"SEC-KEY-3/{name}", token=made.key, status=[401], error_says="revoked")
    await stage.ask(session, "me", "SEC-KEY-3/others-stay", token=kept.key, status=[200])


async def keys_outlive_a_logout(stage: Stage) -> None:
    """SEC-KEY-4."""
    session = await stage.newcomer("keyholder")
    made = await _make(stage, session, "outlives")
    await stage.ask(session, "logout", body={"all": True})
    mine = {"id": session.account_id}
    await stage.ask(session, "me", "SEC-KEY-4/after-all", token=made.key, status=[200], body_has=mine)
    again = await stage.target.sign_in(session.person)
    stage.target.made(again, "revoke_api_key", made.id)


async def anothers_key(stage: Stage) -> None:
    """SEC-OWN-3: as if it were not there."""
    session, other = await stage.newcomer("keyholder"), await stage.newcomer("stranger")
    made = await _make(stage, session, "of one")
    await stage.ask(other, "revoke_api_key", "SEC-OWN-3/unknown", path={"id": UNKNOWN_ID}, status=[404])
    await stage.ask(other, "revoke_api_key", "SEC-OWN-3/revoke", path={"id": made.id}, status=[404], same_as="unknown")
    await stage.ask(other, "list_api_keys", "SEC-OWN-3/list", status=[200], body_has={"total": 0, "api_keys.#": 0})
    await stage.ask(session, "me", "SEC-OWN-3/works-on", token=made.key, status=[200])


async def sockets_of_a_key(stage: Stage) -> None:
    """SEC-KEY-1 and SEC-KEY-3 on sockets: a key opens one, and revoking it ends it and no other."""
    session = await stage.newcomer("keyholder")
    made = await _make(stage, session, "on sockets")
    endpoint = stage.target.endpoint
    pair = (SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + made.key)
    by_pair = stage.raw_socket(session)
    row = expect(opens=True, subprotocol=SUBPROTOCOL)
    await by_pair.dial(endpoint, None, case="SEC-KEY-1/pair", expect=row, subprotocols=pair)
    await by_pair.leave()
    gone = stage.raw_socket(session)
    row = expect(opens=True, close_code=[4401], within_ms=CLOSED_MS_MAX)
    header = bearer(made.key)
    if not await gone.dial(endpoint, None, case="SEC-KEY-3/socket", expect=row, headers=header, subprotocols=()):
        raise NotAcceptedError("a key opened no socket")
    await gone.wait_welcome()
    stays = await stage.dialed(session, "SEC-KEY-3/socket-of-a-token", stays_open_ms=500)
    # Its own last frame: a close is awaited from then on.
    await gone.send_json({"type": "ping"})
    await stage.ask(session, "revoke_api_key", path={"id": made.id})
    await gone.wait_closed(CLOSED_S_MAX)
    await stage.target.sleep(0.6)
    for socket in (gone, stays):
        await socket.leave()


async def alarms(stage: Stage) -> None:
    """RT-KEY-1: one warning for a key that is made and one for a key that is revoked, to its owner alone."""
    session, other = await stage.newcomer("keyholder"), await stage.newcomer("stranger")
    watchers = [
        await stage.dialed(session, f"RT-KEY-1/owner-{n}", receives=WARNING, receives_count=2) for n in (1, 2)
    ] + [await stage.dialed(other, "RT-KEY-1/stranger", receives_none=WARNING)]
    made = await _make(stage, session, "alarms")
    await stage.ask(session, "revoke_api_key", path={"id": made.id})
    for socket in watchers[:2]:
        await wait_pushed(socket, 2)
    for socket in watchers:
        await answered(socket)
        await socket.leave()


ACTS: Final = (
    Act(("REST-KEY-2", "REST-KEY-1", "SEC-KEY-5"), made_and_listed),
    Act(("SEC-KEY-1", "REST-KEY-4"), used_as_a_token),
    Act(("SEC-KEY-2",), what_a_key_may_not),
    Act(("REST-KEY-3", "SEC-KEY-3"), revoking),
    Act(("SEC-KEY-4",), keys_outlive_a_logout),
    Act(("SEC-OWN-3",), anothers_key),
    Act(("SEC-KEY-1", "SEC-KEY-3"), sockets_of_a_key, socket=True),
    Act(("RT-KEY-1",), alarms, socket=True),
)
