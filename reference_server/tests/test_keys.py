"""API keys over real HTTP and sockets, across a restart (contract §3 users, §5 messages)."""

import json
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from reference_server.tests.process import DEADLINE_S, PERSON, ServerProcess

KEYS = "/users/me/api-keys"


def test_a_key_works_everywhere_a_token_does_until_it_is_revoked_and_never_shows_again(tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "store.db"))
    with ServerProcess(*db) as server:
        token = server.register()
        made = server.call("POST", KEYS, token, json={"name": "Bot Ä", "environment": "test"})
        key = made.json()["key"]
        assert (made.status_code, server.call("GET", "/users/me", key).status_code) == (201, 200)
        server.end()
        logs = server.errors()

    with ServerProcess(*db) as server:
        listed = server.call("GET", KEYS, token).json()
        assert server.call("GET", "/users/me", key).json()["email"] == "ann@example.org"
        url = f"ws://{server.host}:{server.port}/api/v1/ws/connect"
        offered = [Subprotocol("zerostate.v1"), Subprotocol(f"bearer.{key}")]
        with connect(url, subprotocols=offered, origin=Origin(server.url)) as opened:
            assert json.loads(opened.recv(DEADLINE_S))["type"] == "system"
            revoked = [server.call("DELETE", f"{KEYS}/{made.json()['id']}", token) for _ in range(2)]
            with pytest.raises(ConnectionClosed) as closed:
                opened.recv(DEADLINE_S)
        refused = server.call("GET", "/users/me", key)
        server.end()
        logs += server.errors()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
    assert [one.json() for one in revoked] == [{"id": made.json()["id"], "status": "revoked"}] * 2
    assert (refused.status_code, "revoked" in refused.json()["message"]) == (401, True)
    assert listed["total"] == 1
    assert listed["api_keys"][0]["last_used_at"] is not None
    assert key not in json.dumps(listed)
    assert key not in logs
    assert key.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_what_was_revoked_stays_so_after_a_restart(tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "store.db"))
    login = {"email": "ann@example.org", "password": PERSON["password"]}
    with ServerProcess(*db) as server:
        one, two = server.register(), server.call("POST", "/users/login", json=login).json()["token"]
        key = server.call("POST", KEYS, one, json={"name": "bot", "environment": "live"}).json()
        assert server.call("DELETE", f"{KEYS}/{key['id']}", one).status_code == 200
        assert server.call("POST", "/users/logout", one).status_code == 200

    with ServerProcess(*db) as server:
        answers = [server.call("GET", "/users/me", credential) for credential in (one, key["key"], two)]
        assert [answer.status_code for answer in answers] == [401, 401, 200]
        assert ["revoked" in answer.text for answer in answers] == [True, True, False]


def test_a_credential_in_the_url_is_none(tmp_path: Path) -> None:
    with ServerProcess("--db", str(tmp_path / "store.db")) as server:
        token = server.register()
        answers = [
            server.call("GET", f"{path}?token={token}&access_token={token}") for path in ("/users/me", "/ws/connect")
        ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert ["missing" in answer.json()["message"] for answer in answers] == [True, True]
