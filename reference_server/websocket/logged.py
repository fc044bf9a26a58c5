"""Open connections whose ends stand in the log: of those who read too slowly as warnings, of others for a debugger."""

import logging

from reference_server.contract.codes import CloseCode
from reference_server.observing.log_lines import fields
from reference_server.websocket.open_sockets import OpenSockets

logger = logging.getLogger(__name__)


class LoggedSockets(OpenSockets):
    """`OpenSockets` that tells what it ends, by the number of the connection."""

    def close(self, connection: int, code: int, reason: str) -> None:
        """Tell, and write the close frame."""
        slow = code == CloseCode.SLOW_CONSUMER
        told = fields(connection=connection, code=code, reason=reason)
        logger.log(logging.WARNING if slow else logging.DEBUG, "socket closed", extra=told)
        super().close(connection, code, reason)

    def abort(self, connection: int) -> None:
        """Tell, and end the connection: one with a full send buffer did not even take its close frame."""
        slow = self.knows(connection) and not self.writable(connection)
        logger.log(logging.WARNING if slow else logging.DEBUG, "socket aborted",
                   extra=fields(connection=connection, send_buffer="full" if slow else "open"))  # fmt: skip
        super().abort(connection)
