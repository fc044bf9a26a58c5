"""The exported files: what the tables say, byte for byte, whoever asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from reference_server.contract.export.__main__ import DOCUMENTS, main, text_of

NAMES = sorted(DOCUMENTS)


def test_no_file_has_drifted_from_the_tables() -> None:
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_drift_is_said_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["--check"], tmp_path) == 1
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / name).write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err.startswith(f"{name} has drifted from the tables; run ")


def test_unknown_arguments_are_refused() -> None:
    assert main(["--force"]) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_document_does_not_hang_on_the_order_of_hashes(name: str) -> None:
    script = (
        "import sys; from reference_server.contract.export.__main__ import DOCUMENTS, text_of; "
        f"sys.stdout.buffer.write(text_of(DOCUMENTS[{name!r}]()).encode())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert found == {text_of(DOCUMENTS[name]()).encode()}
