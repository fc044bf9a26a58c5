"""The hand-written examples against a running server: what they call valid or invalid, it does too (contract §1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from reference_server.contract.export.examples import EXAMPLES, value_of
from reference_server.contract.operations import OPERATIONS, Operation
from reference_server.tests.process import ServerProcess

ANY_ID = "agent_001"
REFUSED = (400, 413, 415)
HEADS = {"wasm_binary": b"\0asm\x01\0\0\0", "avatar": b"\x89PNG\r\n\x1a\n"}


class Asker:
    """Sends examples as an admin, so that no role stands between them and the judge of the body."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._token = server.admin()

    def status_of(self, operation: Operation, value: Any) -> int:
        """Return the status of an operation asked with this body."""
        token = None if operation.auth == "none" else self._token
        path = operation.path.replace("{id}", ANY_ID).removeprefix("/api/v1")
        answer = self._server.call(operation.method, path, token, **_body(operation, value))
        # A body that is fine may sign the caller out: the next one comes with a token of its own.
        if operation.name == "logout" and answer.status_code == httpx.codes.OK:
            self._token = self._server.admin()
        assert answer.status_code < 500, answer.text
        return answer.status_code


def _body(operation: Operation, value: Any) -> dict[str, Any]:
    if operation.file is None:
        return {"content": msgspec.json.encode(value), "headers": {"Content-Type": "application/json"}}
    head = HEADS[operation.file.name]
    parts: list[tuple[str, Any]] = [(operation.file.name, ("file", head.ljust(2048, b"\0")))]
    for name, field in value.items():
        for item in field if isinstance(field, list) else [field]:
            text = item if isinstance(item, str) else msgspec.json.encode(item).decode()
            parts.append((name, (None, text)))
    return {"files": parts}


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    database: Path = tmp_path_factory.mktemp("server") / "zerostate.db"
    with ServerProcess("--db", str(database), "--limits", "off") as server:
        yield Asker(server)


def each(kind: str) -> list[Any]:
    return [
        pytest.param(operation, one, id=f"{operation.name}-{one.get('says') or one['why']}")
        for operation in OPERATIONS
        for model in (operation.body, operation.form)
        if model is not None
        for one in EXAMPLES[model.__name__][kind]
    ]


@pytest.mark.parametrize(("operation", "example"), each("valid"))
def test_a_valid_example_is_no_bad_request(asker: Asker, operation: Operation, example: dict[str, Any]) -> None:
    assert asker.status_of(operation, value_of(example)) not in REFUSED


@pytest.mark.parametrize(("operation", "example"), each("invalid"))
def test_an_invalid_example_is_a_bad_request(asker: Asker, operation: Operation, example: dict[str, Any]) -> None:
    assert asker.status_of(operation, value_of(example)) == 400
