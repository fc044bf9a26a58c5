"""Broadcast and send: what an admin publishes is judged, then handed to the bus as it is (contract §3 socket)."""

from collections.abc import Callable

from reference_server.bus import Bus, encoded
from reference_server.contract import limits
from reference_server.contract.messages import DATA_MODELS
from reference_server.contract.models import BroadcastRequest, FieldFault, PublishAnswer, SendRequest
from reference_server.core.answers import Answer, Everyone, Only, Publish, error, unavailable
from reference_server.core.wire import faults_in


def publish_of(request: BroadcastRequest | SendRequest, wall_ns: int) -> Publish | Answer:
    """Return what to publish; 400 naming what is wrong in `data`, or when the envelope is too large."""
    faults = [
        FieldFault(f"data.{fault.field}", fault.reason) for fault in faults_in(request.data, DATA_MODELS[request.type])
    ]
    if faults:
        reasons = "; ".join(f"{fault.field} {fault.reason}" for fault in faults)
        return error(400, f"data is not valid for {request.type}: {reasons}", details=faults)
    audience = Only(request.user_id) if isinstance(request, SendRequest) else Everyone()
    publish = Publish(request.type, request.data, audience)
    if len(encoded(publish, wall_ns)) > limits.SERVER_MESSAGE_BYTES_MAX:
        too_large = FieldFault("data", f"with its envelope over {limits.SERVER_MESSAGE_BYTES_MAX} bytes")
        return error(400, f"the message is too large: {too_large.reason}", details=[too_large])
    return publish


def put_on(bus: Bus, publish: Publish, reply: Callable[[Answer], None]) -> None:
    """Publish and answer with the exact number of connections it was accepted for (contract §5b)."""

    def accepted(recipients: int | None) -> None:
        if recipients is None:
            reply(unavailable("the message was not accepted; try again"))
        else:
            reply(Answer(200, PublishAnswer("accepted", recipients)))

    bus.publish(publish, accepted)
