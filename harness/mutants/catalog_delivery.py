"""Mutants of the socket: hubs that say or send something else than they were given, handshakes judged wrongly.

The first are seen on virtual time, under the scenarios; the others over sockets, by acts.
"""

from typing import Final

from harness.mutants import hubs
from harness.mutants import rest_spoils as spoils
from harness.mutants.front import Front, edited, instead, with_fields
from harness.mutants.model import Mutant
from harness.mutants.parts import Parts

DELIVERY_MUTANTS: Final = (
    Mutant("welcomes_nobody", "the welcome lacks the server's time", Parts(make_hub=hubs.WelcomesNobody),
           ("RT-WELCOME-1",), ("schema",)),
    Mutant("turns_clocks_back", "every fourth message is dated back", Parts(make_hub=hubs.TurnsClocksBack),
           ("RT-TIME-1",), ("prefix",)),
    Mutant("forgets_the_query", "pushes of tasks lack the query", Parts(make_hub=hubs.ForgetsTheQuery),
           ("RT-SCHEMA-1",), ("schema",)),
    Mutant("forgets_the_revision", "pushes of tasks lack the revision", Parts(make_hub=hubs.ForgetsTheRevision),
           ("RT-PUSH-2",), ("schema",)),
    Mutant("runs_ahead", "pushes tell what no GET shows yet", Parts(make_hub=hubs.RunsAhead),
           ("RT-COHERENCE-1",), ("coherence",)),
    Mutant("overtakes", "every fourth message for one account comes after the next", Parts(make_hub=hubs.Overtakes),
           ("RT-PREFIX-3",), ("prefix",)),
    Mutant("overtakes_on_one", "one connection of an account gets two messages the other way round",
           Parts(make_hub=hubs.OvertakesOnOne), ("RT-ORDER-1",), ("prefix",)),
    Mutant("replays", "who joins is told again of the last queued task", Parts(make_hub=hubs.Replays),
           ("RT-JOIN-1",), ("delivery",)),
)  # fmt: skip


def _on_sockets(
    name: str, sentence: str, parts: Parts, *clauses: str, checkers: tuple[str, ...] = ("cases",)
) -> Mutant:
    return Mutant(name, sentence, parts, clauses, checkers, ("acts",))


SOCKET_MUTANTS: Final = (
    _on_sockets("echoes_wrongly", "a pong gives back another timestamp", Parts(make_hub=hubs.EchoesWrongly),
                "RT-PONG-1", checkers=("cases", "pong")),
    _on_sockets("agent_told_twice", "a change of an agent is pushed twice",
                Parts(decisions=spoils.deciding(spoils.tells_twice, "update_agent")), "RT-AGENT-1",
                checkers=("fleet",)),
    _on_sockets("agent_not_told", "a new agent is not pushed",
                Parts(decisions=spoils.deciding(spoils.tells_nobody, "register_agent")), "RT-AGENT-1",
                checkers=("fleet",)),
    _on_sockets("tells_of_agents", "the completion of a task pushes its agent", Parts(make_hub=hubs.TellsOfAgents),
                "RT-AGENT-2", checkers=("fleet",)),
    _on_sockets("completion_uncounted", "a completed task does not count for its agent",
                Parts(front=edited("get_agent", edit=with_fields(tasks_completed=7))), "TASK-COUNT-1"),
    _on_sockets("alarms_everybody", "that a key was made is told to everyone",
                Parts(decisions=spoils.deciding(spoils.tells_everyone, "make_api_key")), "RT-KEY-1"),
    _on_sockets("key_sockets_stay", "sockets of a revoked key stay open",
                Parts(decisions=spoils.deciding(spoils.revokes_quietly, "revoke_api_key")), "SEC-KEY-3"),
    _on_sockets("sockets_outlive_logout", "sockets of a token that logged out stay open",
                Parts(decisions=spoils.deciding(spoils.revokes_quietly, "logout")), "LIVE-REVOKE-1",
                checkers=("endings",)),
    _on_sockets("origin_forgotten", "a handshake's origin is not looked at",
                Parts(front=lambda: Front(head=spoils.without_header("origin"))), "SEC-ORIGIN-1", "REST-ORDER-2"),
    _on_sockets("any_place_will_do", "a subprotocol makes good what the header lacks",
                Parts(front=lambda: Front(head=spoils.subprotocol_first)), "SEC-TOKEN-9"),
    _on_sockets("bearer_pair_unknown", "the subprotocol pair carries no token",
                Parts(front=lambda: Front(head=spoils.without_header("sec-websocket-protocol"))), "SEC-TOKEN-6"),
    _on_sockets("old_versions_are_bad", "another version of WebSocket is 400",
                Parts(front=instead(426, 400, "ws_connect")), "RT-UPGRADE-1"),
    _on_sockets("miscounts", "ws stats count too few", Parts(make_hub=hubs.Miscounts), "REST-STATS-1", "REST-STATS-2",
                "RT-IGNORE-2"),
    _on_sockets("takes_binary", "a binary message is overlooked", Parts(make_hub=hubs.TakesBinary), "RT-CLOSE-1"),
    _on_sockets("closes_with_one_code", "whatever a peer did, it is closed with 1011",
                Parts(make_hub=hubs.ClosesWithOneCode), "RT-CLOSE-2", "RT-CLOSE-3", "RT-CLOSE-4", "RT-CLOSE-5",
                "RT-CLOSE-6"),
    _on_sockets("answers_no_pings", "protocol pings are not answered", Parts(make_hub=hubs.AnswersNoPings),
                "RT-PING-1"),
    _on_sockets("writes_no_utf8", "what the server sends is no UTF-8", Parts(make_hub=hubs.WritesNoUtf8),
                "RT-FRAME-1", checkers=("frames",)),
    _on_sockets("one_connection_option", "a Connection of several options is no upgrade",
                Parts(front=lambda: Front(head=spoils.only_a_bare_connection)), "RT-UPGRADE-3"),
    _on_sockets("answers_everything", "any text is answered by a pong", Parts(make_hub=hubs.AnswersEverything),
                "RT-IGNORE-1"),
    _on_sockets("broadcasts_nothing", "a broadcast is accepted and reaches nobody",
                Parts(make_hub=hubs.BroadcastsNothing), "RT-HONEST-1"),
    _on_sockets("recipients_guessed", "a publish tells one recipient too many",
                Parts(front=edited("ws_broadcast", "ws_send",
                                   edit=with_fields(recipients=lambda body: body["recipients"] + 1))),
                "REST-PUBLISH-1"),
    _on_sockets("extras_dropped", "fields of a publish that are not known are dropped",
                Parts(make_hub=hubs.DropsExtras), "REST-PUBLISH-3"),
    _on_sockets("wrong_publish_taken", "a publish that is not valid is 200",
                Parts(front=instead(400, 200, "ws_broadcast", body={"message": "m", "recipients": 0})),
                "REST-PUBLISH-2"),
)  # fmt: skip
