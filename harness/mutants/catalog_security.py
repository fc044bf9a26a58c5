"""Mutants of security: credentials that work and should not, others' things, told secrets (contract §2)."""

from collections.abc import Callable
from typing import Any, Final

from harness.mutants import rest_spoils as spoils
from harness.mutants.front import Front, MakeFront, edited, edited_errors, instead, with_fields
from harness.mutants.model import Mutant
from harness.mutants.parts import Parts
from reference_server.operations import Decisions


def _front(name: str, sentence: str, front: MakeFront, *clauses: str, checkers: tuple[str, ...] = ("cases",)) -> Mutant:
    return Mutant(name, sentence, Parts(front=front), clauses, checkers, ("inside",))


def _decided(name: str, sentence: str, decisions: Callable[[], Decisions], *clauses: str) -> Mutant:
    return Mutant(name, sentence, Parts(decisions=decisions), clauses, ("cases",), ("inside",))


def _with_credential(asked: Any) -> bool:
    return "authorization" in asked.head.headers


SECURITY_MUTANTS: Final = (
    _front("silent_401", "a 401 does not say why",
           edited_errors(with_fields(message="You may not do this."), 401), "SEC-TOKEN-1", "SEC-TOKEN-7",
           checkers=("cases", "errors")),
    _front("forgeries_taken", "a token that is none, or forged, is taken", instead(401, 200, when=_with_credential),
           "SEC-TOKEN-2"),
    _decided("logout_forgets", "logging out revokes nothing", spoils.deciding(spoils.logout_forgets, "logout"),
             "SEC-TOKEN-4"),
    _front("scheme_in_one_case", "only Bearer with a capital is known",
           lambda: Front(head=spoils.only_the_usual_case), "SEC-TOKEN-8"),
    _front("key_may_not_submit", "an API key may not submit a task", spoils.answering(spoils.keys_may_not_submit),
           "SEC-KEY-1"),
    _front("key_may_log_out", "with an API key one may log out",
           instead(403, 200, when=lambda asked: asked.head.path.endswith("/users/logout"), body={"message": "bye"}),
           "SEC-KEY-2"),
    _decided("revoked_key_works", "a revoked API key works on",
             spoils.deciding(spoils.revoke_forgets, "revoke_api_key"), "SEC-KEY-3"),
    _decided("logout_takes_keys", "logging out revokes API keys",
             spoils.deciding(spoils.logout_takes_keys, "logout"), "SEC-KEY-4"),
    _front("keys_in_the_list", "the list shows the keys themselves",
           edited("list_api_keys", edit=spoils.each_in("api_keys", with_fields(key="zs_live_shown_again"))),
           "SEC-KEY-5"),
    _front("tells_who_is_there", "login tells that nobody has an e-mail",
           spoils.answering(spoils.tells_who_is_there), "SEC-LOGIN-1"),
    _front("everybody_broadcasts", "anybody may broadcast",
           instead(403, 200, when=lambda asked: asked.head.path.endswith("/ws/broadcast"),
                   body={"message": "m", "recipients": 0}), "SEC-ROLE-1"),
    _decided("tasks_of_everybody", "another's task can be read",
             spoils.deciding(spoils.as_owner(lambda tx, id_: tx.task(id_), "user_id"), "get_task"), "SEC-OWN-1"),
    _decided("deployments_of_everybody", "another's deployment can be read",
             spoils.deciding(spoils.as_owner(lambda tx, id_: tx.deployment(id_), "user_id"), "get_deployment"),
             "SEC-OWN-2"),
    _decided("keys_of_everybody", "another's API key can be revoked",
             spoils.deciding(spoils.as_owner(lambda tx, id_: tx.key(id_), "account_id"), "revoke_api_key"),
             "SEC-OWN-3"),
    _decided("results_of_everybody", "another's result can be read",
             spoils.deciding(spoils.as_owner(lambda tx, id_: tx.task(id_), "user_id"), "get_task_result"),
             "SEC-OWN-4"),
    _front("open_to_every_page", "pages of every origin may read answers",
           spoils.answering(spoils.open_to_everyone), "SEC-ORIGIN-3"),
    _front("nobody_is_over", "who shows no credential may call as often as they like",
           instead(429, 401, when=lambda asked: not _with_credential(asked)), "SEC-RATE-1"),
    Mutant("preflights_limited", "a preflight counts as a call, and is refused as one",
           Parts(shell=spoils.limits_preflights), ("SEC-RATE-3",), ("cases",), ("inside",)),
)  # fmt: skip
