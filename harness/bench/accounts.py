"""What a measure has to know of the server's accounts and of its hub."""

import base64
from collections.abc import Sequence

import msgspec

from harness.bench.calls import called, head
from harness.bench.process import ADMIN, Server
from reference_server.contract.models import SocketFigures


def admin_token(server: Server) -> str:
    """Sign the admin in."""
    token: str = called(server, "POST", "/users/login", None, json=ADMIN)["token"]
    return token


def socket_figures(server: Server) -> SocketFigures:
    """Ask for the figures of the hub; the server has numbered accounts."""
    return msgspec.convert(called(server, "GET", "/ws/stats", server.tokens[0])["stats"], SocketFigures)


def sends(tokens: Sequence[str], admin: str, message: str) -> list[bytes]:
    """Return a publish of this message to each of these accounts."""
    data = {"message": message, "level": "info"}
    return [
        head("POST", "/ws/send", admin, {"user_id": account_of(token), "type": "system", "data": data})
        for token in tokens
    ]


def account_of(token: str) -> str:
    """Return whose token it is: its `sub` says so (contract §2 token)."""
    claims = token.split(".")[1]
    account: str = msgspec.json.decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    return account
