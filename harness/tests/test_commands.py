"""Commands are told as they can be typed where their reader is."""

from pathlib import Path

import pytest

from harness.commands import DOOR, command, program
from harness.verify.options import checked_options


@pytest.mark.parametrize(
    ("beside", "words"), [(DOOR, ("./dev", "harness")), (("dev",), ("harness",)), ((), ("harness",))]
)
def test_a_checkout_is_entered_through_its_door(
    tmp_path: Path, beside: tuple[str, ...], words: tuple[str, ...]
) -> None:
    for name in beside:
        (tmp_path / name).touch()

    assert program(tmp_path) == words


def test_a_word_with_a_blank_is_quoted() -> None:
    assert command("replay", "my runs/a.json").endswith(" harness replay 'my runs/a.json'")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ("--depth", "standard")),
        ({"mutant": "m", "only": "socket,rest"}, ("--mutant", "m", "--only", "rest,socket", "--depth", "standard")),
        ({"minutes": 1.5, "fail_fast": True}, ("--depth", "standard", "--minutes", "1.5", "--fail-fast")),
        (
            {"target": "http://127.0.0.1:8000", "depth": "smoke"},
            ("--target", "http://127.0.0.1:8000", "--depth", "smoke"),
        ),
    ],
)
def test_the_words_of_a_run_ask_for_the_same_again(given: dict[str, object], words: tuple[str, ...]) -> None:
    assert checked_options(**given).words == words  # type: ignore[arg-type]
