"""RT: messages and delivery on the socket (contract §5)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Reach

RT: Final = (
    Clause("RT-SCHEMA-1", "every message is one JSON object per text frame of the envelope's shape, data fitting its "
           "type", "§5", depth=Depth.SMOKE),
    Clause("RT-WELCOME-1", "the first message of every connection is the welcome, with client_id and server_time",
           "§5 system", depth=Depth.SMOKE),
    Clause("RT-PUSH-1", "each pushed transition of a task reaches the owner's connections once", "§5 task_update",
           depth=Depth.SMOKE, grants=("accounts", "tasks")),
    Clause("RT-PREFIX-1", "no gap: what was accepted for a connection before something it received was received",
           "§5(a)", grants=("accounts", "tasks")),
    Clause("RT-PREFIX-2", "no repeat: a connection receives a message once", "§5(a)", depth=Depth.SMOKE),
    Clause("RT-PREFIX-3", "a connection receives messages in the order in which they were accepted", "§5(a)",
           needs=("tap",), grants=("accounts", "tasks")),
    Clause("RT-ISOLATION-1", "a connection receives no message for another account", "§5(a)",
           grants=("accounts", "tasks")),
    Clause("RT-JOIN-1", "what is invoked after the welcome was read comes; what was answered before the handshake "
           "began does not", "§5(a)", grants=("accounts", "tasks")),
    Clause("RT-HONEST-1", "a publish answered 2xx is delivered to its audience; one answered 4xx or 503 to nobody",
           "§5(b)", needs=("admin",), grants=("publish",)),
    Clause("RT-SLOW-1", "a peer that stops reading is ended; what it read is a prefix; nobody else is delayed",
           "§5(c)", depth=Depth.THOROUGH, needs=("admin",), grants=("publish", "flood")),
    Clause("RT-SLOW-2", "the outbox holds 256 messages or 1 MiB; over it 1013 is queued and 5 s later the connection "
           "is aborted", "§5(c)", reach=Reach.WHITE_BOX),
    Clause("RT-TIME-1", "on one connection timestamps do not go back", "§5(d)", depth=Depth.SMOKE),
    Clause("RT-COHERENCE-1", "what a push says, a GET started after it was read shows, or something later", "§5(e)",
           depth=Depth.SMOKE, grants=("accounts", "tasks")),
    Clause("RT-ORDER-1", "connections of one audience agree on the order of what they share", "§5(f)",
           grants=("accounts", "tasks")),
    Clause("RT-PONG-1", "each valid ping is answered by a pong whose received is the ping's timestamp", "§5 pong",
           depth=Depth.SMOKE),
    Clause("RT-IGNORE-1", "other JSON objects, text that is none and pings with a malformed timestamp are ignored",
           "§5"),
    Clause("RT-IGNORE-2", "text that is no JSON object and malformed pings are counted invalid in ws stats", "§5",
           needs=("exclusive",)),
    Clause("RT-CLOSE-1", "a binary message closes with 1003", "§5"),
    Clause("RT-CLOSE-2", "text that is no UTF-8 closes with 1007", "§5"),
    Clause("RT-CLOSE-3", "a message over 64 KiB closes with 1009", "§5"),
    Clause("RT-CLOSE-4", "what RFC 6455 says fails the connection closes with 1002", "§5"),
    Clause("RT-CLOSE-5", "over 100 frames in a burst and 20 a second sustained closes with 1008", "§5",
           grants=("flood",)),
    Clause("RT-UPGRADE-1", "what is no upgrade is 400; another version is 426 with Sec-WebSocket-Version: 13",
           "§3 socket", depth=Depth.SMOKE),
)  # fmt: skip
