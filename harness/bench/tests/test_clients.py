"""A load client on a leash is ended whatever happens, and its silence or end is told."""

import pytest
from msgspec import Struct

from harness.bench.clients import Ready, running
from harness.bench.misdeeds import Count, Plan


class Nothing(Struct):
    """No client's plan."""


def test_a_client_that_breaks_says_so() -> None:
    with (
        running(frozenset(), "harness.bench.no_such_client", Nothing()) as client,
        pytest.raises(RuntimeError, match="ended with 1"),
    ):
        client.said(Ready, 20.0)


def test_a_client_that_is_silent_is_not_waited_for() -> None:
    plan = Plan("idle", "127.0.0.1", 1, "", [], 0, None, 60.0)
    with running(frozenset(), "harness.bench.peers", plan) as client:
        client.said(Ready, 20.0)
        client.tell()
        with pytest.raises(RuntimeError, match="said nothing in time"):
            client.said(Count, 0.05)
