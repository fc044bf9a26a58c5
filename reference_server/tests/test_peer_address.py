"""The peer's address is what the connection says, for as long as there is one, and is not kept by the transport."""

import asyncio
import socket

import pytest

from reference_server.http.peer_address import peer_address


class Held:
    """A transport that holds a socket, or none."""

    def __init__(self, held: socket.socket | None) -> None:
        self._held = held

    def get_extra_info(self, name: str) -> socket.socket | None:
        assert name == "socket"
        return self._held


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_it_is_the_other_end(family: socket.AddressFamily) -> None:
    async def seen() -> bool:
        told: asyncio.Future[tuple[str, int] | None] = asyncio.get_running_loop().create_future()

        class Listening(asyncio.Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                told.set_result(peer_address(transport))
                transport.close()

        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        try:
            server = await asyncio.get_running_loop().create_server(Listening, host, 0)
        except OSError as fault:
            pytest.skip(f"{host} can't be listened on here: {fault.strerror}")
        async with server, asyncio.timeout(10):
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            mine = writer.get_extra_info("sockname")[:2]
            writer.close()
            return await told == tuple(mine)

    assert asyncio.run(seen())


def test_one_that_has_gone_has_none() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.close()
    assert peer_address(Held(ours)) is None  # type: ignore[arg-type]
    assert peer_address(Held(None)) is None  # type: ignore[arg-type]


def test_one_that_is_not_connected_has_none_and_stays_open() -> None:
    with socket.socket() as lonely:
        assert peer_address(Held(lonely)) is None  # type: ignore[arg-type]
        assert lonely.fileno() >= 0


def test_one_without_a_network_has_none_and_stays_open() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_address(Held(ours)) is None  # type: ignore[arg-type]
        ours.send(b"x")
        assert theirs.recv(1) == b"x"
