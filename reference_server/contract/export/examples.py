"""The wire examples written by hand, as the documents show them.

`examples.json` holds, for each model of a body or a message, what is `valid` (each with what it `says`) and what is
`invalid` (each with `why`). A long text is written as what to `fill` a place with. An invalid one that JSON Schema
would let through says in `beyond_schema` why it can't be said.
"""

import json
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from reference_server.contract.export.schemas import ref

EXAMPLES_FILE: Final = Path(__file__).parents[1] / "examples.json"
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    entry["model"]: entry for entry in json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))["examples"]
}
"""The entries of the file by the name of their model."""


def value_of(example: dict[str, Any]) -> Any:
    """Return the value of an example, with its long text put in."""
    value = json.loads(json.dumps(example["value"]))
    fill = example.get("fill")
    if fill is None:
        return value
    *way, last = fill["at"]
    place = value
    for step in way:
        place = place[step]
    place[last] = fill["with"] * fill["times"]
    return value


def valid_examples(name: str) -> list[dict[str, Any]]:
    """Return what is valid of a model, each `{says, value}`; none for a model without an entry."""
    entry = EXAMPLES.get(name)
    return [] if entry is None else list(entry["valid"])


def beyond_schema() -> list[dict[str, str]]:
    """Return every rule that the schemas can't say: whose it is, what it refuses, and why JSON Schema can't."""
    return [
        {"model": name, "refused": one["why"], "reason": one["beyond_schema"]}
        for name, entry in EXAMPLES.items()
        for one in entry["invalid"]
        if "beyond_schema" in one
    ]


def described_json(model: type[Struct]) -> dict[str, Any]:
    """Return a body of JSON as OpenAPI describes it: its schema, and examples where there are some."""
    examples = {
        f"example{number}": {"summary": one["says"], "value": one["value"]}
        for number, one in enumerate(valid_examples(model.__name__), start=1)
    }
    described: dict[str, Any] = {"schema": ref(model)}
    return described | {"examples": examples} if examples else described
