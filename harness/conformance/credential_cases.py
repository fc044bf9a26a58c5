"""Credentials and origins over REST: how a token is written, what logout takes, who reads answers (contract §2)."""

from typing import Any, Final

from harness.checkers.expectations import expect
from harness.client.rest import request_for
from harness.conformance.stage import Stage
from harness.conformance.suite import Act

FOREIGN_ORIGIN: Final = "https://zsh-elsewhere.example"


async def the_scheme_in_any_case(stage: Stage) -> None:
    """SEC-TOKEN-8."""
    for scheme in ("bearer", "BEARER", "bEaReR"):
        header = (("Authorization", f"{scheme} {stage.user.token}"),)
        await stage.client.send(
            request_for("me", headers=header), account=stage.user.account_id, case=f"SEC-TOKEN-8/{scheme}",
            expect=expect(status=[200], body_has={"id": stage.user.account_id}),
        )  # fmt: skip


async def what_logout_takes(stage: Stage) -> None:
    """REST-LOGOUT-1: `all` is a boolean, and the body may be left out."""
    session = await stage.newcomer("leaving")
    for name, body in (("word", {"all": "yes"}), ("number", {"all": 1})):
        await stage.ask(session, "logout", f"REST-LOGOUT-1/{name}", body=body, status=[400], details_has="all")
    await stage.ask(session, "logout", "REST-LOGOUT-1/no-body", status=[200], body_lacks=["error"])
    again = await stage.target.sign_in(session.person)
    await stage.ask(again, "logout", "REST-LOGOUT-1/one", body={"all": False}, status=[200], body_lacks=["error"])


async def who_may_read_answers(stage: Stage) -> None:
    """SEC-ORIGIN-3: our own origin is named and may read two headers more; another one is not named."""
    own = stage.target.profile.pages_url
    exposed = {"access-control-expose-headers": "Retry-After, ETag", "access-control-allow-credentials": None}
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("own", own, {"access-control-allow-origin": own, **exposed}),
        ("foreign", FOREIGN_ORIGIN, {"access-control-allow-origin": None}),
        ("null", "null", {"access-control-allow-origin": None}),
    )
    for name, origin, headers in rows:
        for what, operation in (("answer", "me"), ("error", "get_task")):
            credential = (("Authorization", f"Bearer {stage.user.token}"),)
            path = {"id": "none"} if operation == "get_task" else None
            request = request_for(operation, path=path, headers=(*credential, ("Origin", origin)))
            await stage.client.send(request, case=f"SEC-ORIGIN-3/{name}-{what}", expect=expect(header=headers))


ACTS: Final = (
    Act(("SEC-TOKEN-8",), the_scheme_in_any_case),
    Act(("REST-LOGOUT-1",), what_logout_takes),
    Act(("SEC-ORIGIN-3",), who_may_read_answers),
)
