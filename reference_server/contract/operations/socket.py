"""The socket (contract §3): one row an operation."""

from typing import Final

from reference_server.contract import models
from reference_server.contract.operations.model import BASE, Operation

SOCKET: Final = (
    Operation("ws_connect", "GET", f"{BASE}/ws/connect", "user", "Upgrade to the socket", 101,
              type(None), errors=(400, 403, 426), tag="socket"),
    Operation("ws_stats", "GET", f"{BASE}/ws/stats", "user", "Figures of the hub", 200, models.SocketStats,
              tag="socket"),
    Operation("ws_broadcast", "POST", f"{BASE}/ws/broadcast", "admin", "Publish to every connection", 200,
              models.PublishAnswer, body=models.BroadcastRequest, tag="socket"),
    Operation("ws_send", "POST", f"{BASE}/ws/send", "admin", "Publish to one account's connections", 200,
              models.PublishAnswer, body=models.SendRequest, errors=(404,), tag="socket"),
)  # fmt: skip
