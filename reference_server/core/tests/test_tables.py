"""A table that was far fuller has room for what is in it alone, is the same object, and keeps its order."""

import sys
from typing import Any

import pytest

from reference_server.core.tables import refit

LEFT = list(range(900, 1000))


def emptied(table: dict[int, str] | set[int]) -> Any:
    for number in range(1000):
        if isinstance(table, dict):
            table[number] = str(number)
        else:
            table.add(number)
    for number in range(900):
        if isinstance(table, dict):
            del table[number]
        else:
            table.discard(number)
    return table


@pytest.mark.parametrize("table", [dict[int, str](), set[int]()])
def test_it_gets_as_small_as_what_is_in_it(table: dict[int, str] | set[int]) -> None:
    emptied(table)
    alias, before, kept = table, sys.getsizeof(table), table.copy()
    refit(table)

    assert alias is table
    assert table == kept
    assert sorted(table) == LEFT
    assert sys.getsizeof(table) < before / 4


def test_a_dictionary_keeps_its_order() -> None:
    table = emptied({})
    table[3] = "came last"
    refit(table)
    assert list(table) == [*LEFT, 3]


def test_an_empty_one_stays_empty() -> None:
    table: dict[int, str] = {}
    refit(table)
    assert table == {}
