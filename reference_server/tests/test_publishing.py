"""What an admin publishes: wrong data is named field by field, in words that know nothing of the code."""

from typing import Any

import pytest

from reference_server.contract.models import BroadcastRequest, ErrorBody
from reference_server.core.answers import Answer, Publish
from reference_server.publishing import publish_of

TASK = {"task_id": "t", "status": "running", "query": "q"}


@pytest.mark.parametrize(
    ("kind", "data", "faults"),
    [
        ("task_update", TASK | {"progress": 50.5}, {"data.progress": "must be a whole number"}),
        ("task_update", TASK | {"progress": 101}, {"data.progress": "must be at most 100"}),
        ("task_update", TASK | {"error": None}, {"data.error": "must be a string"}),
        ("system", {"message": "m"}, {"data.level": "is required"}),
        ("system", {"level": []}, {
            "data.message": "is required",
            "data.level": "must be one of error, info, success, warning",
        }),
        ("agent_update", {"agent_id": 1, "name": "n", "action": "deleted"}, {"data.agent_id": "must be a string"}),
    ],
)  # fmt: skip
def test_every_wrong_field_of_data_is_named_in_our_words(
    kind: Any, data: dict[str, Any], faults: dict[str, str]
) -> None:
    answer = publish_of(BroadcastRequest(kind, data), 0)

    assert isinstance(answer, Answer)
    assert isinstance(answer.body, ErrorBody)
    assert answer.status == 400
    assert isinstance(answer.body.details, list)
    assert {fault.field: fault.reason for fault in answer.body.details} == faults
    assert "`" not in answer.body.message


def test_valid_data_goes_on_as_given_with_fields_of_its_own() -> None:
    publish = publish_of(BroadcastRequest("task_update", TASK | {"progress": 50, "mine": [1]}), 0)

    assert isinstance(publish, Publish)
    assert publish.data == TASK | {"progress": 50, "mine": [1]}
