"""The exported OpenAPI document: valid, and what the tables say."""

from pathlib import Path

import pytest
from openapi_spec_validator import validate

from reference_server.contract import export
from reference_server.contract.operations import OPERATIONS, Operation


def test_the_file_has_not_drifted_from_the_tables() -> None:
    assert export.main(["--check"]) == 0


def test_drift_is_said_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "OPENAPI_FILE", tmp_path / "openapi.json")
    assert export.main(["--check"]) == 1
    assert export.main([]) == 0
    assert export.main(["--check"]) == 0
    (tmp_path / "openapi.json").write_text("{}", encoding="utf-8")
    assert export.main(["--check"]) == 1
    assert export.main(["--force"]) == 2


def test_the_document_is_valid_openapi() -> None:
    validate(export.openapi())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_stands_in_the_document_with_all_its_statuses(operation: Operation) -> None:
    described = export.openapi()["paths"][operation.path][operation.method.lower()]

    assert described["operationId"] == operation.name
    assert {int(status) for status in described["responses"]} == operation.statuses
    assert (described["security"] == []) == (operation.auth == "none")
    assert ("requestBody" in described) == (operation.takes_body)
    for status, response in described["responses"].items():
        assert ("Retry-After" in response.get("headers", {})) == (status in ("429", "503"))
