"""The words of a report cover what the registry and the load can say; reports themselves import neither."""

from typing import get_args

import msgspec

from reference_server.contract.clauses.model import Grant, Need, Part


def test_every_need_and_every_grant_has_words_for_people() -> None:
    from reports.words import GRANTS, NEEDS

    assert {*get_args(Need), *get_args(Part)} == set(NEEDS)
    assert set(get_args(Grant)) == set(GRANTS)


def test_every_count_of_the_ledger_is_explained() -> None:
    from loadtests.ledger import Sums
    from reports.words import LEDGER

    assert set(msgspec.structs.asdict(Sums())) == set(LEDGER)
