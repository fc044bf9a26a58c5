"""Handshakes: upgrade and version, what is agreed on, and which refusal comes first (contract §§1, 3 socket)."""

from itertools import combinations
from typing import Any, Final

from harness.checkers.expectations import expect
from harness.client.rest import bearer
from harness.conformance.stage import Stage
from harness.conformance.suite import Act
from reference_server.contract.codes import HANDSHAKE_PRECEDENCE
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SOCKET_VERSION, SUBPROTOCOL

FOREIGN_ORIGIN: Final = (("Origin", "https://zsh-elsewhere.example"),)
OLD: Final = "8"
WRONGS: Final = {"credential": 401, "origin": 403, "upgrade": 400, "version": 426}
"""By the words of `HANDSHAKE_PRECEDENCE`, what a handshake that has this wrong is answered."""


async def upgrades(stage: Stage) -> None:
    """RT-UPGRADE-1."""
    endpoint, token = stage.target.endpoint, stage.user.token
    plain = stage.raw_socket(stage.user)
    row = expect(status=[400])
    await plain.dial(endpoint, None, case="RT-UPGRADE-1/none", expect=row, upgrade=False, headers=bearer(token))
    for version in (OLD, "14"):
        old = stage.raw_socket(stage.user)
        row = expect(status=[426], header={"sec-websocket-version": SOCKET_VERSION})
        await old.dial(endpoint, token, case=f"RT-UPGRADE-1/version-{version}", expect=row, version=version)


async def nothing_else_is_agreed_on(stage: Stage) -> None:
    """RT-UPGRADE-2: an extension that is offered is not taken, nor is another subprotocol."""
    endpoint, token = stage.target.endpoint, stage.user.token
    deflate = (*bearer(token), ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"))
    none: dict[str, Any] = {"opens": True, "subprotocol": "", "header": {"sec-websocket-extensions": None}}
    for name, offered, headers, wanted in (
        ("extension", (), deflate, none),
        ("others", ("chat", "zerostate.v2"), bearer(token), none),
        ("among-others", ("chat", SUBPROTOCOL), bearer(token), {**none, "subprotocol": SUBPROTOCOL}),
    ):
        socket = stage.raw_socket(stage.user)
        row = expect(**wanted)
        case = f"RT-UPGRADE-2/{name}"
        await socket.dial(endpoint, None, case=case, expect=row, subprotocols=offered, headers=headers)
        await socket.leave()


async def which_refusal_comes_first(stage: Stage) -> None:
    """REST-ORDER-2: of two things that are wrong the first is told."""
    endpoint, own = stage.target.endpoint, bearer(stage.user.token)
    for first, second in combinations([word for word in HANDSHAKE_PRECEDENCE if word in WRONGS], 2):
        wrong = (first, second)
        headers = (*(() if "credential" in wrong else own), *(FOREIGN_ORIGIN if "origin" in wrong else ()))
        case, row = f"REST-ORDER-2/{first}-before-{second}", expect(status=[WRONGS[first]])
        socket = stage.raw_socket(stage.user)
        await socket.dial(
            endpoint, None, case=case, expect=row, headers=headers, upgrade="upgrade" not in wrong,
            version=OLD if "version" in wrong else SOCKET_VERSION,
        )  # fmt: skip


async def the_first_place_decides(stage: Stage) -> None:
    """SEC-TOKEN-9: a header that holds no token is not made good by a subprotocol that does."""
    pair = (SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + stage.user.token)
    for name, header in (("malformed", "Bearer this-is-no-token"), ("other-scheme", "Basic enNoOnpzaA==")):
        socket = stage.raw_socket()
        row = expect(status=[401])
        await socket.dial(
            stage.target.endpoint, None, case=f"SEC-TOKEN-9/{name}", expect=row, subprotocols=pair,
            headers=(("Authorization", header),),
        )  # fmt: skip


ACTS: Final = (
    Act(("RT-UPGRADE-1",), upgrades, socket=True),
    Act(("RT-UPGRADE-2",), nothing_else_is_agreed_on, socket=True),
    Act(("REST-ORDER-2",), which_refusal_comes_first, socket=True),
    Act(("SEC-TOKEN-9",), the_first_place_decides, socket=True),
)
