"""One seed, streams by name, people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.seeds import people, stream
from reference_server.contract import limits


def test_streams_of_one_seed_do_not_disturb_each_other() -> None:
    first = [stream(1, "faults").random() for _ in range(2)]
    other = stream(1, "network")
    other.random()
    assert first[0] == first[1] == stream(1, "faults").random()
    assert stream(1, "network").random() != first[0] != stream(2, "faults").random()


def test_people_depend_on_seed_and_name_only() -> None:
    assert people(1, ["ann", "bob"])[1] == people(1, ["bob"])[0]
    assert people(1, ["ann"]) != people(2, ["ann"])
    assert people(1, ["ann"], run="r1")[0].email == "zsh-r1-ann@example.com"


@given(st.integers(0, 2**64 - 1), st.text(min_size=1, max_size=20))
def test_every_person_fits_the_contract(seed: int, name: str) -> None:
    (person,) = people(seed, [name])
    assert limits.PASSWORD_BYTES_MIN <= len(person.password.encode()) <= limits.PASSWORD_BYTES_MAX
    assert person.email.isascii()
    assert len(person.email) <= limits.EMAIL_CHARS_MAX
    assert 0 < len(person.full_name.strip()) <= limits.FULL_NAME_CHARS_MAX


@pytest.mark.parametrize("seed", [0, 1, 2**64])
def test_two_people_of_a_run_never_share_a_password(seed: int) -> None:
    found = people(seed, [f"p{number}" for number in range(50)])
    assert len({person.password for person in found}) == 50
