"""Fixtures: a reference server as its own process, and a URL where nothing listens."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def unused_url() -> str:
    """Return the URL of a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def server_url(tmp_path: Path) -> Iterator[str]:
    """Serve without limits on a free port; ends with the test."""
    yield from served(tmp_path, "--limits", "off")


@pytest.fixture
def limited_url(tmp_path: Path) -> Iterator[str]:
    """Serve with the limits of contract §2 on a free port; ends with the test."""
    yield from served(tmp_path)


def served(folder: Path, *options: str) -> Iterator[str]:
    """Yield the URL of a server of our own."""
    command = [sys.executable, "-m", "reference_server", "--port", "0", "--db", str(folder / "z.db")]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            assert ready.startswith("ready http://"), f"the server said {ready!r}"
            yield ready.removeprefix("ready ").strip()
        finally:
            server.terminate()
            server.wait(20)
