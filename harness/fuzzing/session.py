"""A server for one run of the fuzzer: limits off, quick tasks, an admin, and a peer who must see nothing of the admin.

Everything runs as the admin, who may call every operation; Schemathesis signs in again by itself whenever a call that
it made has ended the session. The peer asks for what the admin made, and must not get it.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

import httpx

from harness.fuzzing.rules import CONTENTS, Known
from harness.targets.local import ADMIN_EMAIL, ADMIN_SECRET_BYTES, ServerProcess
from reference_server.contract.operations import BY_NAME

OPTIONS: Final = ("--limits", "off", "--task-ms", "2000:20000", "--workers", "2", "--queue-max", "1000000")
"""So slow that there always are tasks to cancel; what no agent fits ends at once."""

PEER_EMAIL: Final = "zsh-peer@example.com"
ADMIN, PEER = "admin", "peer"
DEADLINE_S: Final = 20.0
SPARE_AGENTS: Final = 40
Person: TypeAlias = dict[str, str]
"""E-mail and password, as login takes them."""


@dataclass(frozen=True, slots=True)
class Session:
    """A running server, the folder of its files, and what the fuzzer must know beforehand."""

    url: str
    accounts: Path
    known: Known


@contextmanager
def fuzzed_server(log: Path | None = None) -> Iterator[Session]:
    """Lend a server with its accounts; both end with the run. Raises ServerDownError."""
    people = (_person(ADMIN_EMAIL), _person(PEER_EMAIL))
    environment = {"ZEROSTATE_ADMIN_EMAIL": ADMIN_EMAIL, "ZEROSTATE_ADMIN_PASSWORD": people[0]["password"]}
    with (
        ServerProcess(options=OPTIONS, environment=environment, log=log) as server,
        TemporaryDirectory(prefix="zsh-fuzz-") as folder,
        httpx.Client(base_url=server.url) as client,
    ):
        accounts = Path(folder) / "accounts.json"
        accounts.touch(mode=0o600)
        accounts.write_text(json.dumps(_accounts(people)), encoding="utf-8")
        yield Session(server.url, accounts, _prepare(client, *people))


def _person(email: str) -> Person:
    return {"email": email, "password": secrets.token_urlsafe(ADMIN_SECRET_BYTES)}


def _accounts(people: tuple[Person, Person]) -> dict[str, Any]:
    """Return the accounts as a document of Web Fuzzing Commons, which Schemathesis signs in from."""
    login = BY_NAME["login"]
    token = {"extractFrom": "body", "extractSelector": "/token"}
    token |= {"sendIn": "header", "sendName": "Authorization", "sendTemplate": "Bearer {token}"}
    shared = {"endpoint": login.path, "verb": login.method, "contentType": "application/json", "token": token}
    return {
        "auth": [
            {"name": name, "loginEndpointAuth": {"payloadUserPwd": _fields(person)}}
            for name, person in zip((ADMIN, PEER), people, strict=True)
        ],
        "authTemplate": {"loginEndpointAuth": shared},
    }


def _fields(person: Person) -> dict[str, str]:
    named = {"usernameField": "email", "passwordField": "password"}
    return {"username": person["email"], "password": person["password"], **named}


def _prepare(client: httpx.Client, admin: Person, peer: Person) -> Known:
    """Make the peer's account with a picture, and agents of the admin's; return what there is."""
    account = _asked(client, "register", json={**peer, "full_name": "Peer"})
    picture = {"avatar": ("a.gif", CONTENTS["avatar"].made_of("").encode())}
    avatar = _asked(client, "set_avatar", account["token"], files=picture)
    token = _asked(client, "login", json=admin)["token"]
    own, kept, *spare = (_registered(client, token, number) for number in range(2 + SPARE_AGENTS))
    return Known(str(avatar["avatar_url"]).rpartition("/")[2], account["user"]["id"], peer, own, kept, spare)


def _registered(client: httpx.Client, token: str, number: int) -> str:
    form = {"name": f"Own {number}", "capabilities": "fuzzing", "pricing": '{"per_execution": 1}'}
    binary = {"wasm_binary": ("a.wasm", CONTENTS["wasm_binary"].made_of(str(number)).encode())}
    return str(_asked(client, "register_agent", token, data=form, files=binary)["agent_id"])


def _asked(client: httpx.Client, name: str, token: str = "", **named: Any) -> dict[str, Any]:
    operation = BY_NAME[name]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.request(operation.method, operation.path, headers=headers, timeout=DEADLINE_S, **named)
    answer.raise_for_status()
    read: dict[str, Any] = answer.json()
    return read
