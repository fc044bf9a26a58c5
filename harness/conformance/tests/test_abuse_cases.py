"""What abuse asks for is there to be found: a path to a file that does not exist proves nothing."""

from pathlib import Path

from harness.conformance.abuse_cases import PATHS, SOURCE
from reference_server import contract


def test_the_source_that_no_path_may_lead_to_lies_beside_the_pages() -> None:
    server = Path(contract.__file__).parents[1]

    assert (server / "pages" / ".." / SOURCE).is_file()
    assert sum(path.endswith(SOURCE) for _, path in PATHS) == 2
