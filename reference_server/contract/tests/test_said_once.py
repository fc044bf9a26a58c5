"""What has a name in the contract is written out nowhere else in the code of the server."""

from pathlib import Path

import pytest

from reference_server.contract import limits
from reference_server.contract.export.asyncapi import CHANNEL_DESCRIPTION
from reference_server.contract.messages import SESSION_COOKIE, SOCKET_VERSION

FOLDER = Path(limits.__file__).parents[1]
SOURCES = {path: path.read_text() for path in FOLDER.rglob("*.py") if "tests" not in path.parts}


@pytest.mark.parametrize("word", [SESSION_COOKIE, f'"{SOCKET_VERSION}"'])
def test_a_word_of_the_handshake_stands_in_one_module(word: str) -> None:
    assert {path.name for path, source in SOURCES.items() if word in source} == {"messages.py"}


def test_each_side_of_the_socket_is_told_its_own_limit() -> None:
    told = CHANNEL_DESCRIPTION.replace(",", "")

    assert f"of the client is at most {limits.CLIENT_MESSAGE_BYTES_MAX} bytes" in told
    assert f"of the server at most {limits.SERVER_MESSAGE_BYTES_MAX}" in told
