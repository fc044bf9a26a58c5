"""The clause registry: what can be judged, one tuple a family.

To add a clause, add a row to its family and a checker (black-box, steered) or a test (white-box) that names it; a
test finds the forgotten one. Nothing here decides anything. `harness list clauses` prints it.
"""

from typing import Final

from reference_server.contract.clauses.client import CLIENT
from reference_server.contract.clauses.live import LIVE
from reference_server.contract.clauses.model import Clause, Depth, Kind, Reach
from reference_server.contract.clauses.page import PAGE
from reference_server.contract.clauses.perf import PERF
from reference_server.contract.clauses.rest import REST
from reference_server.contract.clauses.rt import RT
from reference_server.contract.clauses.sec import SEC
from reference_server.contract.clauses.task import TASK

CLAUSES: Final[tuple[Clause, ...]] = (*REST, *SEC, *TASK, *RT, *LIVE, *CLIENT, *PAGE, *PERF)
CLAUSES_BY_ID: Final[dict[str, Clause]] = {clause.id: clause for clause in CLAUSES}

__all__ = ["CLAUSES", "CLAUSES_BY_ID", "Clause", "Depth", "Kind", "Reach"]
