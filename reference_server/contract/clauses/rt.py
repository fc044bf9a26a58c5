"""RT: messages and delivery on the socket (contract §5)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, held

_HUB: Final = "reference_server/core/tests/test_hub.py"

RT: Final = (
    Clause("RT-SCHEMA-1", "every message is one JSON object per text frame of the envelope's shape, data fitting its "
           "type", "§5", depth=Depth.SMOKE),
    Clause("RT-WELCOME-1", "the first message of every connection is the welcome, with client_id and server_time",
           "§5 system", depth=Depth.SMOKE),
    Clause("RT-PUSH-1", "each pushed transition of a task reaches the owner's connections once", "§5 task_update",
           depth=Depth.SMOKE, grants=("accounts", "tasks")),
    Clause("RT-PUSH-2", "every task_update that the server sends by itself tells the task's revision",
           "§5 task_update", depth=Depth.SMOKE, grants=("accounts", "tasks"), ext=True),
    Clause("RT-AGENT-1", "each registration, change and deletion of an agent is pushed to everyone once",
           "§5 agent_update", needs=("uploads",), grants=("agents",)),
    Clause("RT-AGENT-2", "a task's completion pushes no agent_update", "§4", needs=("exclusive",), grants=("tasks",)),
    Clause("RT-KEY-1", "making or revoking an API key warns its owner's connections and nobody else's", "§5 system",
           needs=("api-keys",), grants=("accounts", "keys"), ext=True),
    Clause("RT-PREFIX-1", "no gap: what was accepted for a connection before something it received was received",
           "§5(a)", grants=("accounts", "tasks")),
    Clause("RT-PREFIX-2", "no repeat: a connection receives a message once", "§5(a)", depth=Depth.SMOKE),
    Clause("RT-PREFIX-3", "a connection receives messages in the order in which they were accepted", "§5(a)",
           needs=("tap",), grants=("accounts", "tasks")),
    Clause("RT-ISOLATION-1", "a connection receives no message for another account", "§5(a)",
           grants=("accounts", "tasks")),
    Clause("RT-JOIN-1", "what is invoked after the welcome was read comes; what was answered before the handshake "
           "began does not", "§5(a)", grants=("accounts", "tasks")),
    held("RT-REPLAY-1", "nothing is replayed to a client that reconnects", "§5(g)",
         f"{_HUB}::test_a_connection_gets_nothing_accepted_before_it_joined"),
    Clause("RT-HONEST-1", "a publish answered 2xx is delivered to its audience; one answered 4xx or 503 to nobody",
           "§5(b)", needs=("admin",), grants=("publish",)),
    Clause("RT-SLOW-1", "a peer that stops reading is ended; what it read is a prefix; nobody else is delayed",
           "§5(c)", depth=Depth.THOROUGH, needs=("admin",), grants=("publish", "flood")),
    held("RT-SLOW-2", "the outbox holds 256 messages or 1 MiB; over it 1013 is queued and 5 s later the connection is "
         "aborted", "§5(c)", f"{_HUB}::test_over_256_messages_1013_follows_what_it_has",
         f"{_HUB}::test_over_1_mib_1013_follows_and_5_s_later_the_connection_is_aborted"),
    held("RT-SLOW-3", "a peer that is never over 256 messages nor 1 MiB behind is not closed", "§5(c)",
         f"{_HUB}::test_a_paused_connection_gets_its_outbox_in_order_and_then_what_follows",
         "reference_server/core/tests/test_hub_properties.py::test_at_the_end_everyone_alive_has_everything"),
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
    Clause("RT-CLOSE-6", "a close frame is answered by one, and nothing that follows it is", "§5, RFC 6455 §5.5.1"),
    Clause("RT-PING-1", "a protocol ping is answered by a protocol pong with its payload; a pong asks for nothing",
           "§5, RFC 6455 §5.5.2"),
    Clause("RT-FRAME-1", "every frame of the server is one that RFC 6455 allows: no mask, no reserved bit or opcode, "
           "lengths in shortest form, control frames whole and short, text and reasons UTF-8, a code that may be sent, "
           "nothing behind its close frame", "§5, RFC 6455 §5, §7.4, §8.1"),
    Clause("RT-UPGRADE-1", "what is no upgrade is 400; another version is 426 with Sec-WebSocket-Version: 13",
           "§3 socket", depth=Depth.SMOKE),
    Clause("RT-UPGRADE-2", "no extension is agreed on, and no subprotocol but zerostate.v1", "§3 socket",
           depth=Depth.SMOKE),
    Clause("RT-UPGRADE-3", "an upgrade in any form that RFC 6455 allows opens, with the accept key of its key",
           "§3 socket, RFC 6455 §4.2"),
    held("RT-FOREIGN-1", "what comes by broadcast or send is judged for delivery and schema only", "§3",
         "harness/checkers/tests/test_lifecycle.py::test_a_task_update_of_a_publish_is_not_looked_at"),
    held("RT-UNKNOWN-1", "clients ignore types and fields that they do not know", "§5",
         "harness/client/tests/test_core_vectors.py::test_the_core_takes_every_step_as_the_vectors_say",
         "e2e/test_client_vectors.py::test_the_core_in_the_browser_steps_as_the_vectors_say"),
)  # fmt: skip
