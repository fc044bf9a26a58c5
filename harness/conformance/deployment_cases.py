"""Deployments: made, listed, stopped, and nobody else's (contract §3 deployments)."""

from typing import Any, Final

from msgspec import Struct

from harness.client.rest import RecordedSession
from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.stage import Stage, read_as
from harness.conformance.suite import Act, Row
from reference_server.contract import limits
from reference_server.contract.seeded_agents import SEEDED_AGENTS

AGENT: Final = SEEDED_AGENTS[0].id


def _wrong(name: str, field: str, **body: Any) -> Row:
    expected = {"status": [400], "details_has": field}
    return Row("REST-DEPLOY-4", name, expected, "deploy", body={"agent_id": AGENT, **body})


ROWS: Final = (
    _wrong("environment", "environment", environment="moon"),
    _wrong("config-object", "config", config={"a": 1}),
    _wrong("config-no-json", "config", config="{"),
    _wrong("config-empty", "config", config=""),
    _wrong("config-too-large", "config", config='"' + "x" * limits.CONFIG_BYTES_MAX + '"'),
    _wrong("agent-number", "agent_id", agent_id=7),
    Row("REST-DEPLOY-4", "no-agent", {"status": [400], "details_has": "agent_id"}, "deploy", body={}),
    Row("REST-DEPLOY-4", "unknown-agent", {"status": [404]}, "deploy", body={"agent_id": UNKNOWN_ID}),
    Row("REST-DEPLOY-4", "malformed-agent", {"status": [404]}, "deploy", body={"agent_id": "agent x"}),
    Row("REST-DEPLOY-4", "request-before-object", {"status": [400]}, "deploy",
        body={"agent_id": UNKNOWN_ID, "environment": "moon"}),
    Row("REST-ID-1", "deployment", {"status": [404]}, "get_deployment", ids={"id": "not-a-uuid"}),
    Row("REST-ID-1", "deployment-stop", {"status": [404]}, "stop_deployment", ids={"id": "%00"}),
)  # fmt: skip


class _Made(Struct):
    id: str


async def _deploy(
    stage: Stage, session: RecordedSession, body: dict[str, Any], case: str | None = None, **shown: Any
) -> str:
    wanted = {"agent_id": AGENT, "user_id": session.account_id, "status": "deployed", **shown}
    answer = await stage.ask(session, "deploy", case, body={"agent_id": AGENT, **body}, status=[201], body_has=wanted)
    made = read_as(answer, _Made).id
    stage.target.made(session, "stop_deployment", made)
    return made


async def deploying(stage: Stage) -> None:
    """REST-DEPLOY-1, REST-DEPLOY-2 and REST-DEPLOY-3: as asked or by default, listed, stopped and stopped again."""
    session = await stage.newcomer("deployer") if stage.has("accounts") else stage.user
    room = limits.CONFIG_BYTES_MAX - len('""')
    made = [
        await _deploy(stage, session, body, f"REST-DEPLOY-1/{name}", **shown)
        for name, body, shown in (
            ("defaults", {}, {"environment": "development"}),
            ("as-asked", {"environment": "production", "config": '{"zsh": [1, "é"]}'},
             {"environment": "production", "config": '{"zsh": [1, "é"]}'}),
            ("largest", {"environment": "staging", "config": '"' + "x" * room + '"'}, {"environment": "staging"}),
        )
    ]  # fmt: skip
    newest = {f"deployments.{n}.id": one for n, one in enumerate(reversed(made))}
    total = {"total": len(made), "deployments.#": len(made)} if stage.has("accounts") else {}
    case = "REST-DEPLOY-2/listed"
    answer = await stage.ask(session, "list_deployments", case, status=[200], body_has={**newest, **total})
    listed = answer.body["deployments"][0] if isinstance(answer.body, dict) and answer.body.get("deployments") else {}
    path = {"id": made[-1]}
    await stage.ask(session, "get_deployment", "REST-DEPLOY-2/alone", path=path, status=[200], body_has=listed)
    stopped = {"id": made[-1], "status": "stopped", "environment": "staging"}
    for name in ("first", "again"):
        case = f"REST-DEPLOY-3/{name}"
        await stage.ask(session, "stop_deployment", case, path=path, status=[200], body_has=stopped)
    await stage.ask(session, "get_deployment", "REST-DEPLOY-3/shown", path=path, status=[200], body_has=stopped)
    others = {"status": "deployed"}
    await stage.ask(session, "get_deployment", "REST-DEPLOY-3/others", path={"id": made[0]}, body_has=others)


async def anothers_deployment(stage: Stage) -> None:
    """SEC-OWN-2: as if it were not there."""
    session, other = await stage.newcomer("deployer"), await stage.newcomer("stranger")
    made = await _deploy(stage, session, {})
    await stage.ask(other, "get_deployment", "SEC-OWN-2/unknown", path={"id": UNKNOWN_ID}, status=[404])
    path = {"id": made}
    await stage.ask(other, "get_deployment", "SEC-OWN-2/read", path=path, status=[404], same_as="unknown")
    await stage.ask(other, "stop_deployment", "SEC-OWN-2/stop", path=path, status=[404], same_as="unknown")
    nothing = {"total": 0, "deployments.#": 0}
    await stage.ask(other, "list_deployments", "SEC-OWN-2/list", status=[200], body_has=nothing)
    runs = {"status": "deployed"}
    await stage.ask(session, "get_deployment", "SEC-OWN-2/runs-on", path=path, status=[200], body_has=runs)


ACTS: Final = (
    Act(("REST-DEPLOY-1", "REST-DEPLOY-2", "REST-DEPLOY-3"), deploying),
    Act(("SEC-OWN-2",), anothers_deployment),
)
