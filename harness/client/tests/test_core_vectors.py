"""The Python client core runs the vectors that its JavaScript twin runs in a browser (contract §6)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import reference_server.contract
from harness.client import core, reload, signals

VECTORS = json.loads((Path(reference_server.contract.__file__).parent / "client_vectors.json").read_text("utf-8"))


def named(part: str) -> list[Any]:
    return [pytest.param(sequence, id=sequence["name"]) for sequence in VECTORS[part]]


@pytest.mark.parametrize("sequence", named("core"))
def test_the_core_takes_every_step_as_the_vectors_say(sequence: dict[str, Any]) -> None:
    before = sequence["start"]
    for number, expected in enumerate(sequence["steps"]):
        state = msgspec.convert(before, signals.State)
        after, effects = core.step(state, msgspec.convert(expected["event"], signals.AnyEvent))
        assert msgspec.to_builtins(list(effects)) == expected["effects"], f"effects of step {number}"
        assert msgspec.to_builtins(after) == expected["state"], f"state after step {number}"
        before = expected["state"]


@pytest.mark.parametrize("sequence", named("reload"))
def test_reloading_takes_every_step_as_the_vectors_say(sequence: dict[str, Any]) -> None:
    before = sequence["start"]
    for number, expected in enumerate(sequence["steps"]):
        state = msgspec.convert(before, reload.ReloadState)
        after, effects = reload.step(state, msgspec.convert(expected["event"], reload.ReloadEvent))
        assert msgspec.to_builtins(list(effects)) == expected["effects"], f"effects of step {number}"
        assert msgspec.to_builtins(after) == expected["state"], f"state after step {number}"
        before = expected["state"]


def test_the_vectors_know_every_event_effect_and_phase() -> None:
    steps = [step for sequence in VECTORS["core"] for step in sequence["steps"]]
    assert {step["event"]["type"] for step in steps} == tags(signals.Event)
    assert {effect["type"] for step in steps for effect in step["effects"]} == tags(signals.Effect)
    assert {step["state"]["phase"] for step in steps} == set(msgspec.json.schema(signals.Phase)["enum"])


def test_the_vectors_start_as_the_cores_start() -> None:
    for sequence in VECTORS["core"]:
        start = sequence["start"]
        assert msgspec.to_builtins(core.start(start["url"], visible=start["visible"])) == start
    for sequence in VECTORS["reload"]:
        assert msgspec.to_builtins(reload.ReloadState()) == sequence["start"]


def tags(base: type[msgspec.Struct]) -> set[Any]:
    return {kind.__struct_config__.tag for kind in base.__subclasses__()}
