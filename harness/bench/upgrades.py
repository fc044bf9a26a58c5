"""The handshake of a load client's socket, as bytes made beforehand (contract §3 ws connect)."""

from typing import Final

from reference_server.contract.messages import SOCKET_PATH, SUBPROTOCOL

KEY: Final = b"AAAAAAAAAAAAAAAAAAAAAA=="
"""One key for all: it guards against caches that answer a handshake, and there is none between bench and server."""
HEAD_END: Final = b"\r\n\r\n"


def upgrade(token: str) -> bytes:
    """Return the request that opens a socket for this token's account."""
    lines = [
        f"GET {SOCKET_PATH} HTTP/1.1".encode(),
        b"Host: bench",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + KEY,
        b"Sec-WebSocket-Protocol: " + SUBPROTOCOL.encode(),
        b"Authorization: Bearer " + token.encode(),
    ]
    return b"\r\n".join(lines) + HEAD_END


def opened(answer: bytes) -> bytes | None:
    """Return what stands behind the 101, None while it is not whole; raises RuntimeError when it is no 101."""
    head, end, behind = answer.partition(HEAD_END)
    if not end:
        return None
    if not head.startswith(b"HTTP/1.1 101 "):
        status = head.partition(b"\r\n")[0].decode("latin-1")
        raise RuntimeError(f"the server answered a handshake with {status!r}; expected 101")
    return behind
