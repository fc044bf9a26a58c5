"""How every store looks for agents: literally, without case, sorted with ties by id, in pages (contract §3 agents)."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.contract.models import AgentStatus
from reference_server.contract.operations import AgentsQuery
from reference_server.core.rows import AgentRow
from reference_server.store import Store
from reference_server.store.tests.rows import NOW_NS, agent, put
from reference_server.store.tests.test_store_conformance import STORES

KEYS: dict[Any, Any] = {
    "recent": lambda row: -row.created_at_ns,
    "rating": lambda row: -row.rating,
    "tasks": lambda row: -row.tasks_completed,
    "price": lambda row: row.price,
    "name": lambda row: row.name,
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def found(store: Store, query: AgentsQuery) -> tuple[list[AgentRow], int]:
    rows, total = store.transact(lambda tx: tx.agents(query))
    return list(rows), total


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("100 % sure", "%"),
        ("snake_case", "e_c"),
        ("a\\b", "\\"),
        ("it's", "'"),
        ("[a-z]*", "[a-z]*"),
        ("DataWeaver", "dataweaver"),
        ("straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("İstanbul", "i̇stanbul"),
        ("ILIK", "ilik"),
        ("ﬁne", "FINE"),
        ("Grün\U0001f600", "GRÜN\U0001f600"),
        (" a  b ", "  "),
    ],
)
@pytest.mark.parametrize("place", ["name", "description", "capabilities"])
def test_a_text_is_found_literally_and_without_case(store: Store, text: str, search: str, place: str) -> None:
    holds = agent(2, **{place: (text,) if place == "capabilities" else text})
    put(store, agent(1, capabilities=("plain",), description="plain", name="plain"), holds)

    assert found(store, AgentsQuery(search=search)) == ([holds], 1)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("plain", "%"),
        ("plain", "p_ain"),
        ("plain", "p.*n"),
        ("ılık", "ILIK"),
        ("é", "e"),
        ("é", "e\u0301"),
        ("ab", "a b"),
    ],
)
def test_nothing_is_taken_for_a_pattern_or_for_a_letter_that_is_another(store: Store, text: str, search: str) -> None:
    put(store, agent(1, name=text, description=text, capabilities=(text,)))

    assert found(store, AgentsQuery(search=search)) == ([], 0)


def test_a_text_is_not_found_across_two_fields_or_two_capabilities(store: Store) -> None:
    put(store, agent(1, name="ab", description="cd", capabilities=("ef", "gh")))

    assert [found(store, AgentsQuery(search=text))[1] for text in ("bc", "de", "fg", "f, g", '"ef"')] == [0] * 5


def test_search_and_status_are_both_asked_for(store: Store) -> None:
    rows = [agent(n, name="x", status=status) for n, status in enumerate(get_args(AgentStatus), start=1)]
    put(store, *rows, agent(9))

    for row in rows:
        assert found(store, AgentsQuery(search="X", status=row.status)) == ([row], 1)


def test_what_is_looked_for_follows_every_write(store: Store) -> None:
    put(store, agent(1, name="before"), agent(2, name="before"))
    put(store, agent(1, name="after"))
    store.transact(lambda tx: tx.delete_agent("agent_002"))

    assert [found(store, AgentsQuery(search=text))[1] for text in ("before", "after")] == [0, 1]


@pytest.mark.parametrize("sort", KEYS)
@pytest.mark.parametrize("limit", [1, 3, 20])
def test_the_pages_of_every_order_partition_it_with_ties_by_id(store: Store, sort: Any, limit: int) -> None:
    tied = [
        agent(
            n,
            created_at_ns=NOW_NS + n % 3,
            rating=n % 2 / 2,
            tasks_completed=n % 4,
            price=1 + n % 3 / 10,
            name="aBä"[n % 3],
        )
        for n in (5, 3, 8, 1, 9, 2, 7, 4, 6)
    ]
    put(store, *tied)
    wanted = sorted(sorted(tied, key=lambda row: row.id), key=KEYS[sort])
    pages = [found(store, AgentsQuery(sort=sort, limit=limit, page=page)) for page in range(1, 9 // limit + 3)]

    assert [row for rows, _ in pages for row in rows] == wanted
    assert {total for _, total in pages} == {9}
    assert pages[-1][0] == []


ALPHABET = st.text("aAäÄßſıİK\u212a%_\\ ", max_size=4)
AGENTS = st.lists(
    st.builds(
        lambda name, description, capabilities, status, number: {
            "name": name,
            "description": description,
            "capabilities": tuple(capabilities),
            "status": status,
            "price": 1.0 + number,
            "rating": number / 2,
            "tasks_completed": number,
            "created_at_ns": NOW_NS + number,
        },
        ALPHABET,
        ALPHABET,
        st.lists(ALPHABET, max_size=2),
        st.sampled_from(get_args(AgentStatus)),
        st.integers(0, 2),
    ),
    max_size=8,
)
QUERIES = st.builds(
    AgentsQuery,
    page=st.integers(1, 3),
    limit=st.integers(1, 4),
    search=st.none() | ALPHABET.filter(bool),
    status=st.none() | st.sampled_from(get_args(AgentStatus)),
    sort=st.sampled_from(tuple(KEYS)),
)


@given(given_agents=AGENTS, queries=st.lists(QUERIES, min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_all_stores_find_the_same_and_what_a_reader_would(
    tmp_path_factory: pytest.TempPathFactory, given_agents: list[dict[str, Any]], queries: list[AgentsQuery]
) -> None:
    rows = [agent(number, **changes) for number, changes in enumerate(given_agents)]
    stores = [make(tmp_path_factory.mktemp("found")) for make in STORES.values()]
    for one in stores:
        put(one, *rows)
    for query in queries:
        wanted = [row for row in rows if _reader_finds(row, query)]
        answers = list(map(partial(found, query=query), stores))
        assert answers == [(_page(wanted, query), len(wanted))] * len(stores)
    for one in stores:
        one.close()


def _reader_finds(row: AgentRow, query: AgentsQuery) -> bool:
    text = "\0".join((row.name, row.description, *row.capabilities)).casefold()
    return query.status in (None, row.status) and (query.search is None or query.search.casefold() in text)


def _page(rows: Sequence[AgentRow], query: AgentsQuery) -> list[AgentRow]:
    ordered = sorted(sorted(rows, key=lambda row: row.id), key=KEYS[query.sort])
    return ordered[(query.page - 1) * query.limit :][: query.limit]
