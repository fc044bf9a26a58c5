"""The hand-written examples against the models, so that neither changes by itself."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reference_server.contract import messages, models
from reference_server.contract.messages import DATA_MODELS
from reference_server.contract.operations import OPERATIONS

EXAMPLES: dict[str, dict[str, Any]] = {
    entry["model"]: entry
    for entry in json.loads((Path(__file__).parents[1] / "examples.json").read_text(encoding="utf-8"))["examples"]
}


def model_of(name: str) -> Any:
    return getattr(messages, name, None) or getattr(models, name)


def each(kind: str) -> list[Any]:
    return [
        pytest.param(name, one, id=f"{name}-{n}") for name in EXAMPLES for n, one in enumerate(EXAMPLES[name][kind])
    ]


@pytest.mark.parametrize(("name", "example"), each("valid"))
def test_a_valid_example_is_what_the_model_takes(name: str, example: Any) -> None:
    msgspec.json.decode(json.dumps(example), type=model_of(name))


@pytest.mark.parametrize(("name", "example"), each("invalid"))
def test_an_invalid_example_is_refused_by_the_model(name: str, example: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(example), type=model_of(name))


def test_every_message_and_every_request_body_has_a_valid_and_two_invalid_examples() -> None:
    wanted = {model.__name__ for model in DATA_MODELS.values()} | {"Envelope", "Ping"}
    wanted |= {operation.body.__name__ for operation in OPERATIONS if operation.body is not None}

    assert set(EXAMPLES) == wanted
    assert [name for name, entry in EXAMPLES.items() if len(entry["valid"]) < 1 or len(entry["invalid"]) < 2] == []
