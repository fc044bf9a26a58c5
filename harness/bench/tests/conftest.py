"""What the bench's tests share: one reference server a module, on any core."""

from collections.abc import Iterator

import pytest

from harness.bench.process import Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(frozenset(), "--handshake-timeout", "0.2", "--task-ms", "0:1", accounts=8) as one:
        yield one
