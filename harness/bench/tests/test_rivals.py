"""Each contestant really fans out: what is published arrives at each connection once, the same bytes from all."""

import importlib.util
import socket
import sys

import pytest
from click.testing import CliRunner

from harness.bench.contestants import OURS, SOCKETS, MissingError, contestant, started
from harness.bench.rivals import __main__ as command
from harness.bench.rivals.catalog import RIVALS
from harness.bench.rivals.publishing import MESSAGE, MESSAGE_BYTES, WELCOME, WELCOME_BYTES, Receivers, paths_in, request
from harness.bench.setting import Setting
from harness.bench.sink import Plan
from harness.bench.streams import pieces
from harness.bench.upgrades import opened, upgrade

DEADLINE_S = 10.0
ANYWHERE = Setting(seconds=0.1, server_cores=frozenset(), load_cores=frozenset())
INSTALLED = [name for name in (OURS, *RIVALS) if name != "picows" or importlib.util.find_spec("picows")]


@pytest.mark.parametrize("name", INSTALLED)
def test_each_publish_of_a_contestant_arrives_at_each_connection_once(name: str) -> None:
    with contestant(ANYWHERE, name, 3) as one:
        one.open(3)
        for together in (1, 8):
            count = one.sink.fan(together, 0.05)
            assert count.fault == ""
            assert count.deliveries == 3 * count.published > 0


@pytest.mark.parametrize("name", [name for name in INSTALLED if name in SOCKETS])
def test_each_publish_to_two_of_a_contestant_arrives_at_those_two_once(name: str) -> None:
    with contestant(ANYWHERE, name, 6, audiences=3) as one:
        one.open(6)
        for together in (1, 8):
            count = one.sink.fan(together, 0.05, at_once=False)
            assert count.fault == ""
            assert count.deliveries == 2 * count.published > 0


def test_a_path_names_receivers_by_the_order_in_which_they_joined() -> None:
    receivers = Receivers[str]()
    assert [receivers.join(name) for name in "abc"] == [0, 1, 2]
    everyone, two, gone = paths_in(request() + request([2, 0]) + request([1]))
    receivers.leave(1)

    assert list(receivers.at(everyone)) == ["a", "c"]
    assert receivers.at(two) == ["c", "a"]
    assert receivers.at(gone) == []
    assert receivers.join("d") == 3


def test_the_messages_have_their_lengths() -> None:
    assert len(MESSAGE) == MESSAGE_BYTES == 160
    assert len(WELCOME) == WELCOME_BYTES


def dialed(server: Plan) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=DEADLINE_S)


@pytest.mark.parametrize("name", INSTALLED)
def test_the_first_message_of_a_contestant_is_as_long_as_that_of_any(name: str) -> None:
    with started(ANYWHERE, name, 1) as (server, tokens), dialed(server) as line:
        line.sendall(upgrade(tokens[0]))
        read, behind = b"", None
        while not (behind and list(pieces(behind))):
            read += line.recv(65536)
            behind = opened(read)

    (welcome,) = pieces(behind)
    assert len(welcome.payload) == WELCOME_BYTES


def test_a_rival_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picows", None)
    monkeypatch.delitem(sys.modules, RIVALS["picows"].module, raising=False)
    said = CliRunner().invoke(command.main, ["picows"])

    assert (said.exit_code, said.output) == (0, "missing picows is not installed; the extra 'bench' has it\n")


@pytest.mark.skipif("picows" in INSTALLED, reason="picows is installed")
def test_a_missing_rival_is_no_contestant() -> None:
    with pytest.raises(MissingError, match="not installed"), contestant(ANYWHERE, "picows", 3):
        pass


def test_elsewhere_than_on_linux_the_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("select.epoll")
    with pytest.raises(MissingError, match="on Linux only"), contestant(ANYWHERE, OURS, 3):
        pass
