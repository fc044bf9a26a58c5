"""Binaries of an agent: uploaded once a version, served byte for byte, listed, deleted (contract §3 agents)."""

from typing import Any, Final

from harness.client.forms import File, Form
from harness.client.rest import RecordedSession
from harness.conformance.agent_cases import SEEDED_ID, WASM, register
from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.stage import Stage
from harness.conformance.suite import Act, Row

FIRST: Final = "1.0.0"
SECOND: Final = "2.0.0-rc.1"
ODD: Final = "2024+Build_7"
OTHER: Final = WASM + b"\x00the second one"

ROWS: Final = (
    Row("REST-BINARY-3", "seeded", {"status": [404]}, "get_binary", ids={"id": SEEDED_ID}),
    Row("REST-BINARY-3", "unknown-agent", {"status": [404]}, "get_binary", ids={"id": UNKNOWN_ID}),
    Row("REST-BINARY-4", "seeded", {"status": [403]}, "delete_binary", ids={"id": SEEDED_ID}),
    Row("REST-BINARY-4", "unknown-agent", {"status": [404]}, "delete_binary", ids={"id": UNKNOWN_ID}),
    Row("REST-VERSION-1", "seeded", {"status": [200], "body_has": {"versions": [], "total": 0}}, "list_versions",
        ids={"id": SEEDED_ID}),
    Row("REST-VERSION-1", "unknown-agent", {"status": [404]}, "list_versions", ids={"id": UNKNOWN_ID}),
    Row("REST-TYPE-1", "binary-json", {"status": [415]}, "upload_binary", ids={"id": UNKNOWN_ID},
        body={"version": "1"}),
)  # fmt: skip


async def _upload(
    stage: Stage, session: RecordedSession, agent: str, version: str | None, content: bytes, case: str, **expected: Any
) -> None:
    operation = "put_binary" if version == ODD else "upload_binary"
    form = Form([("version", version)] if version is not None else [], File("wasm_binary", content))
    await stage.ask(session, operation, case, path={"id": agent}, form=form, **expected)


async def _serves(stage: Stage, agent: str, version: str, content: bytes, case: str) -> None:
    digest = File("wasm_binary", content).sha256
    header = {"etag": f'"{digest}"', "content-type": "application/wasm"}
    query = {"version": version} if version else {}
    await stage.ask(stage.other, "get_binary", case, path={"id": agent}, query=query, status=[200], header=header,
                    sha256=digest)  # fmt: skip


async def uploading_binaries(stage: Stage) -> None:
    """REST-BINARY-1, REST-BINARY-2, REST-BINARY-3, REST-VERSION-1 and REST-BINARY-4, on one agent."""
    stage.two_people()
    agent = await register(stage, stage.user)
    for version, content in ((SECOND, OTHER), (ODD, WASM)):
        file = File("wasm_binary", content)
        shown = {"agent_id": agent, "binary_hash": file.sha256, "binary_size": len(content), "version": version,
                 "status": "uploaded"}  # fmt: skip
        case = f"REST-BINARY-1/upload-{version}"
        await _upload(stage, stage.user, agent, version, content, case, status=[201], body_has=shown)
    for version, content in ((FIRST, WASM), (SECOND, OTHER), (ODD, WASM)):
        await _serves(stage, agent, version, content, f"REST-BINARY-1/served-{version}")
    await _serves(stage, agent, "", WASM, "REST-BINARY-3/last-uploaded")
    await _versions(stage, agent, (ODD, SECOND, FIRST), "all")
    await _refusals(stage, agent)
    await _deletions(stage, agent)
    await stage.ask(stage.user, "delete_agent", path={"id": agent})


async def _versions(stage: Stage, agent: str, versions: tuple[str, ...], name: str) -> None:
    shown: dict[str, Any] = {f"versions.{n}.version": version for n, version in enumerate(versions)}
    shown |= {"versions.#": len(versions), "total": len(versions), "agent_id": agent}
    case = f"REST-VERSION-1/{name}"
    await stage.ask(stage.other, "list_versions", case, path={"id": agent}, status=[200], body_has=shown)


async def _refusals(stage: Stage, agent: str) -> None:
    await _upload(stage, stage.user, agent, SECOND, WASM, "REST-BINARY-2/again", status=[409])
    await _upload(stage, stage.user, agent, FIRST, WASM, "REST-BINARY-2/of-the-registration", status=[409])
    for name, session, version, content, wanted in (
        ("anothers", stage.other, "3", WASM, {"status": [403]}),
        ("request-before-owner", stage.other, "3", b"no wasm", {"status": [400], "details_has": "wasm_binary"}),
        ("no-version", stage.user, None, WASM, {"status": [400], "details_has": "version"}),
        ("odd-version", stage.user, "../1", WASM, {"status": [400], "details_has": "version"}),
        ("too-small", stage.user, "3", WASM[:1023], {"status": [400], "details_has": "wasm_binary"}),
    ):
        await _upload(stage, session, agent, version, content, f"REST-BINARY-2/{name}", **wanted)


async def _deletions(stage: Stage, agent: str) -> None:
    path = {"id": agent}
    for name, session, query, status in (
        ("anothers", stage.other, {}, 403),
        ("unknown-version", stage.user, {"version": "9.9.9"}, 404),
    ):
        await stage.ask(session, "delete_binary", f"REST-BINARY-4/{name}", path=path, query=query, status=[status])
    one = {"agent_id": agent, "deleted": [ODD]}
    query = {"version": ODD}
    await stage.ask(stage.user, "delete_binary", "REST-BINARY-4/one", path=path, query=query, body_has=one)
    await _serves(stage, agent, "", OTHER, "REST-BINARY-3/last-that-is-left")
    await stage.ask(stage.other, "get_binary", "REST-BINARY-3/deleted", path=path, query=query, status=[404])
    await stage.ask(stage.user, "delete_binary", "REST-BINARY-4/all", path=path, body_has={"deleted.#": 2})
    await stage.ask(stage.other, "get_binary", "REST-BINARY-3/none-left", path=path, status=[404])
    await _versions(stage, agent, (), "none-left")


ACTS: Final = (
    Act(("REST-BINARY-1", "REST-BINARY-2", "REST-BINARY-3", "REST-BINARY-4", "REST-VERSION-1"), uploading_binaries),
)
