"""A clause that takes more connections than a target allows is unsupported, not unknown for ever (contract §10)."""

import pytest

from harness.judge import lacking
from harness.targets.base import Capabilities
from harness.targets.profiles import OWN
from reference_server.contract.clauses import CLAUSES_BY_ID


@pytest.mark.parametrize(("allowed", "why"), [(32, "not allowed: connections:33"), (33, "")])
def test_the_cap_on_sockets_takes_one_more_than_the_cap(allowed: int, why: str) -> None:
    able = Capabilities(OWN.needs, OWN.grants, allowed)

    assert lacking(CLAUSES_BY_ID["SEC-SOCKETS-1"], able) == why
    assert lacking(CLAUSES_BY_ID["RT-WELCOME-1"], able) == ""
