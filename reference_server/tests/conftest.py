"""What several tests of decisions stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.store.tests.test_store_conformance import STORES
from reference_server.tests.desk import Desk


@pytest.fixture(params=STORES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """Decisions over every store there is."""
    store = STORES[request.param](tmp_path)
    yield Desk(store)
    store.close()
