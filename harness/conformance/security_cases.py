"""Security from outside: tokens, sign-in, roles, ownership, origin, limits (contract §2)."""

import base64
from typing import Any, Final

import jwt
import msgspec

from harness.checkers.expectations import expect
from harness.client.rest import bearer, request_for
from harness.conformance import rate_cases
from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.socket_cases import answered
from harness.conformance.stage import NotAcceptedError, Stage
from harness.conformance.suite import Act, Row
from reference_server.contract import limits
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL

FOREIGN_SECRET: Final = "a secret that the target does not know"
REVOCATION_SEEN_S: Final = 4.0

ROWS: Final = (
    Row("SEC-TOKEN-1", "rest", {"status": [401], "error_says": "missing"}, "me", "nobody"),
    Row("SEC-TOKEN-1", "publish", {"status": [401], "error_says": "missing"}, "ws_broadcast", "nobody", body={}),
    Row("SEC-TOKEN-2", "words", {"status": [401], "error_says": "malformed"}, "me", "nobody",
        headers=(("Authorization", "Bearer this-is-no-token"),)),
    Row("SEC-TOKEN-2", "three-parts", {"status": [401], "error_says": "malformed"}, "me", "nobody",
        headers=(("Authorization", "Bearer not.a.token"),)),
    Row("SEC-ROLE-1", "broadcast", {"status": [403]}, "ws_broadcast",
        body={"type": "system", "data": {"message": "zsh forbidden", "level": "info"}}),
    Row("SEC-LOGIN-1", "unknown", {"status": [401]}, "login", "nobody",
        body={"email": "zsh-nobody-at-all@example.com", "password": "long enough 1"}),
)  # fmt: skip


UNVERIFIED: Final[Any] = {"verify_signature": False, "verify_exp": False}


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def forgeries(token: str) -> dict[str, str]:
    """Return tokens with this one's claims that nobody signed with the target's secret and HS256.

    Raises jwt.PyJWTError for what is no JWT.
    """
    head, claims, signature = token.split(".")
    told = jwt.decode(token, options=UNVERIFIED)
    turned = ("A" if signature[:1] != "A" else "B") + signature[1:]
    return {
        "turned-signature": f"{head}.{claims}.{turned}",
        "raised-role": f"{head}.{_segment({**told, 'role': 'admin'})}.{signature}",
        "alg-none": f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        "alg-none-in-capitals": f"{_segment({'alg': 'NONE', 'typ': 'JWT'})}.{claims}.",
        "no-signature": f"{head}.{claims}.",
        "key-of-its-own": jwt.encode(
            told,
            FOREIGN_SECRET,
            algorithm="HS256",
            headers={"jwk": {"kty": "oct", "k": _segment(FOREIGN_SECRET)}, "kid": "../../dev/null"},
        ),
        "longer-life": f"{head}.{_segment({**told, 'exp': told.get('exp', 0) + 10**6})}.{signature}",
        "foreign-secret": jwt.encode(told, FOREIGN_SECRET, algorithm="HS256"),
        "other-algorithm": jwt.encode(told, FOREIGN_SECRET * 2, algorithm="HS512"),
    }


async def forged_tokens(stage: Stage) -> None:
    """SEC-TOKEN-2; an opaque token of a foreign target can't be forged this way and is left alone."""
    try:
        forged = forgeries(stage.user.token)
    except (jwt.PyJWTError, ValueError):
        stage.recorder.record("note", why="the target's token is no JWT, nothing was forged", clauses=["SEC-TOKEN-2"])
        return
    for name, token in forged.items():
        stage.recorder.mask(token)
        row = expect(status=[401], error_says="invalid")
        await stage.client.send(request_for("me", headers=bearer(token)), case=f"SEC-TOKEN-2/{name}", expect=row)


async def wrong_password(stage: Stage) -> None:
    """SEC-LOGIN-1: the answer is that of an unknown e-mail."""
    body = {"email": stage.user.person.email, "password": "certainly not this 1"}
    await stage.ask(None, "login", "SEC-LOGIN-1/wrong-password", body=body, status=[401], same_as="unknown")


async def logging_out(stage: Stage) -> None:
    """SEC-TOKEN-4: one token, then all of the account's."""
    first = await stage.newcomer("leaver")
    second = await stage.target.sign_in(first.person)
    third = await stage.target.sign_in(first.person)
    await stage.ask(first, "logout")
    await stage.ask(first, "me", "SEC-TOKEN-4/revoked", status=[401], error_says="revoked")
    await stage.ask(second, "me", "SEC-TOKEN-4/others-stay", status=[200])
    await stage.ask(second, "logout", body={"all": True})
    for name, session in (("second", second), ("third", third)):
        await stage.ask(session, "me", f"SEC-TOKEN-4/all-{name}", status=[401], error_says="revoked")
    again = await stage.target.sign_in(first.person)
    await stage.ask(again, "me", "SEC-TOKEN-4/again", status=[200])


async def revoked_sockets(stage: Stage) -> None:
    """LIVE-REVOKE-1 and CLIENT-STOP-1: logout ends the token's sockets, another token's stay, the client stays away."""
    first = await stage.newcomer("revoked")
    second = await stage.target.sign_in(first.person)
    gone, stays = await stage.dialed(first), await stage.dialed(second)
    tab = await stage.target.open_tab(first, f"tab-{first.label}")
    await tab.wait_open(5.0)
    await stage.ask(first, "logout")
    await stage.submit(second, "after the logout")
    await gone.wait_closed(REVOCATION_SEEN_S)
    await gone.wait_tcp_end(limits.ABORT_AFTER_CLOSE_S + 1)
    # A client that comes back does so within a second or so: its first delay is 1 to 1.1 s.
    await stage.target.sleep(2.5)
    await tab.close()
    await stays.leave()


async def handshakes_with_a_token(stage: Stage) -> None:
    """SEC-TOKEN-6: header, and the pair in either order; neither is echoed."""
    endpoint, token = stage.target.endpoint, stage.user.token
    pair = (SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token)
    chosen = {"opens": True, "subprotocol": SUBPROTOCOL}
    for name, offered in (("pair", pair), ("pair-turned", pair[::-1])):
        socket = stage.raw_socket(stage.user)
        row = expect(**chosen)
        await socket.dial(endpoint, None, case=f"SEC-TOKEN-6/{name}", expect=row, subprotocols=offered)
        await socket.leave()
    plain: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("header", (), ""),
        ("header-and-protocol", (SUBPROTOCOL,), SUBPROTOCOL),
    )
    for name, protocols, wanted in plain:
        socket = stage.raw_socket(stage.user)
        row = expect(opens=True, subprotocol=wanted)
        await socket.dial(
            endpoint, None, case=f"SEC-TOKEN-6/{name}", expect=row, subprotocols=protocols, headers=bearer(token)
        )
        await socket.leave()
    lonely = stage.raw_socket()
    row = expect(status=[401])
    await lonely.dial(endpoint, None, case="SEC-TOKEN-6/bearer-alone", expect=row, subprotocols=pair[1:])


async def another_origin(stage: Stage) -> None:
    """SEC-ORIGIN-1."""
    socket = stage.raw_socket(stage.user)
    origin = (("Origin", "https://zsh-elsewhere.example"),)
    row = expect(status=[403])
    await socket.dial(stage.target.endpoint, stage.user.token, case="SEC-ORIGIN-1/foreign", expect=row, headers=origin)
    own = stage.raw_socket(stage.user)
    row = expect(opens=True)
    origin = (("Origin", stage.target.profile.pages_url),)
    await own.dial(stage.target.endpoint, stage.user.token, case="SEC-ORIGIN-1/own", expect=row, headers=origin)
    await own.leave()


async def forbidden_publish_reaches_nobody(stage: Stage) -> None:
    """SEC-ROLE-1: 403, and no message of it."""
    marker = stage.named("forbidden")
    data = {"message": marker, "level": "info"}
    watcher = await stage.dialed(stage.other, "SEC-ROLE-1/nobody-gets-it", receives_none={"data.message": marker})
    await stage.ask(stage.user, "ws_broadcast", "SEC-ROLE-1/broadcast-again", body={"type": "system", "data": data},
                    status=[403])  # fmt: skip
    body = {"user_id": stage.other.account_id, "type": "system", "data": data}
    await stage.ask(stage.user, "ws_send", "SEC-ROLE-1/send", body=body, status=[403])
    await answered(watcher)
    await watcher.leave()


async def anothers_task(stage: Stage) -> None:
    """SEC-OWN-1: as if it were not there."""
    stage.two_people()
    task = await stage.submit(stage.user, "of one", constraints={"simulate": {"outcome": "hang"}}, timeout=5)
    await stage.ask(stage.other, "get_task", "SEC-OWN-1/unknown", path={"id": UNKNOWN_ID}, status=[404])
    await stage.ask(stage.other, "get_task", "SEC-OWN-1/read", path={"id": task}, status=[404], same_as="unknown")
    await stage.ask(stage.other, "cancel_task", "SEC-OWN-1/cancel", path={"id": task}, status=[404])
    await stage.ask(stage.user, "cancel_task", path={"id": task})


def lifetime_ms(token: str) -> int:
    """Return how long a token lives by its own claims; raises NotAcceptedError when it does not say."""
    try:
        claims = jwt.decode(token, options=UNVERIFIED)
        return round((float(claims["exp"]) - float(claims["iat"])) * 1000)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError) as fault:
        raise NotAcceptedError(f"the token does not say when it expires: {fault!r}") from fault


async def expired_token(stage: Stage) -> None:
    """SEC-TOKEN-3 and LIVE-EXPIRY-1, on a server whose tokens live for seconds."""
    session = await stage.newcomer("expiring")
    left_ms = lifetime_ms(session.token)
    socket = await stage.dialed(session, told={"expires_in_ms": left_ms})
    await socket.wait_closed(left_ms / 1000 + 3)
    await socket.wait_tcp_end(limits.ABORT_AFTER_CLOSE_S + 1)
    await stage.target.sleep(0.2)
    await stage.ask(session, "me", "SEC-TOKEN-3/expired", status=[401], error_says="expired")


async def sockets_over_the_cap(stage: Stage) -> None:
    """SEC-SOCKETS-1: the one longest silent goes, the others stay."""
    session = await stage.newcomer("hoarder")
    oldest = await stage.dialed(session, "SEC-SOCKETS-1/longest-silent", close_code=[4409], within_ms=15_000)
    second = await stage.dialed(session, "SEC-SOCKETS-1/second", stays_open_ms=500)
    rest = [await stage.dialed(session) for _ in range(limits.SOCKETS_PER_ACCOUNT_MAX - 1)]
    await oldest.wait_closed(5.0)
    await stage.target.sleep(0.6)
    for socket in (second, oldest, *rest):
        await socket.leave()


ACTS: Final = (
    Act(("SEC-TOKEN-2",), forged_tokens),
    Act(("SEC-LOGIN-1",), wrong_password),
    Act(("SEC-TOKEN-4",), logging_out),
    Act(("LIVE-REVOKE-1", "CLIENT-STOP-1"), revoked_sockets, socket=True),
    Act(("SEC-TOKEN-6",), handshakes_with_a_token, socket=True),
    Act(("SEC-ORIGIN-1",), another_origin, socket=True),
    Act(("SEC-ROLE-1",), forbidden_publish_reaches_nobody, socket=True),
    Act(("SEC-OWN-1",), anothers_task),
    Act(("SEC-SOCKETS-1",), sockets_over_the_cap, socket=True),
    Act(("SEC-TOKEN-3", "LIVE-EXPIRY-1"), expired_token, socket=True, place="short"),
    *rate_cases.ACTS,
)
