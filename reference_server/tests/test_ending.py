"""How a process ends: in order by one signal, at once by two, and quietly by one that comes while it starts (§5)."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reference_server.settings.table import ACCOUNTS_MAX
from reference_server.tests.process import DEADLINE_S, PERSON, ServerProcess, read_to_end, upgrade_request

KEPT = {"z.db", "z.db.admin", "z.db.blobs", "z.db.secret"}
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_cuts_the_ending_short_with_1(second: signal.Signals, tmp_path: Path) -> None:
    with ServerProcess("--db", str(tmp_path / "z.db")) as server, server.raw() as silent:
        silent.sendall(upgrade_request(server.register()))
        read = silent.recv(65536)
        server.child.send_signal(signal.SIGTERM)
        while b"1001" not in read and b"shutting down" not in read:
            read += silent.recv(65536)
        server.child.send_signal(second)

        # In order it would wait some 4 s for the close frame of a peer that never answers, and end with 0.
        assert server.child.wait(DEADLINE_S) == 1
        assert server.errors().endswith("the ending is cut short by a second signal\n")
    assert not (tmp_path / "z.db.lock").exists()


def test_nothing_is_accepted_once_the_end_has_begun() -> None:
    with ServerProcess("--db", ":memory:") as server, server.raw() as silent:
        silent.sendall(upgrade_request(server.register()))
        read = silent.recv(65536)
        server.child.send_signal(signal.SIGTERM)
        while b"shutting down" not in read:
            read += silent.recv(65536)

        # The silent socket keeps the process for a while: its port is closed by then.
        with pytest.raises(ConnectionRefusedError), server.raw():
            pass
        assert server.child.wait(DEADLINE_S) == 0


def test_requests_in_flight_are_answered() -> None:
    """Hashing takes its time: these are in the middle of it when the signal comes."""
    with ServerProcess("--db", ":memory:", "--limits", "off") as server:
        answers: list[bytes] = []
        with server.raw() as first, server.raw() as second:
            for number, opened in enumerate((first, second)):
                body = json.dumps({"email": f"p{number}@example.org", **PERSON}).encode()
                head = f"POST /api/v1/users/register HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                opened.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            assert server.http.get("/health").status_code == 200
            server.child.send_signal(signal.SIGTERM)
            answers += [read_to_end(first), read_to_end(second)]

        assert [answer[:12] for answer in answers] == [b"HTTP/1.1 201"] * 2
        assert server.child.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("made", "bytes_min"), [("z.db.lock", 0), ("z.db.accounts.new", 0), ("z.db.accounts.new", 1)])
def test_a_signal_while_it_starts_ends_it_with_nothing_half_written(
    number: signal.Signals, made: str, bytes_min: int, tmp_path: Path
) -> None:
    """The files that it makes on its way say how far it is: the lock, the store, the accounts by the thousand."""
    command = [sys.executable, "-m", "reference_server", "--port", "0", "--db", str(tmp_path / "z.db")]
    command += ["--accounts", str(ACCOUNTS_MAX)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        while size_of(tmp_path / made) < bytes_min:
            assert child.poll() is None
        child.send_signal(number)
        out, err = child.communicate(timeout=DEADLINE_S)

    assert (child.returncode, out, err) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} <= KEPT
    with ServerProcess("--db", str(tmp_path / "z.db")) as server:
        assert server.register()


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
