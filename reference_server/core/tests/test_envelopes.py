"""Instants are written as RFC 3339 in UTC with six digits, whichever was written before (contract §1 timestamps)."""

from datetime import UTC, datetime, timedelta

import pytest

from reference_server.core.envelopes import timestamp
from reference_server.core.units import SECOND_NS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS = (0, 2, 1, 3, 2, 0, -1, 1_700_000_000, 10**9, 1_700_000_001, 1_700_000_000, 4_102_444_800)


@pytest.mark.parametrize("first", SECONDS)
def test_each_second_is_written_as_what_it_is(first: int) -> None:
    for seconds in (first, *SECONDS):
        for rest_us in (0, 1, 999_999):
            shown = (EPOCH + timedelta(seconds=seconds, microseconds=rest_us)).isoformat(timespec="microseconds")
            assert timestamp(seconds * SECOND_NS + rest_us * 1000 + 999) == shown.replace("+00:00", "Z")
