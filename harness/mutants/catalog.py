"""Every mutant, with the clause and checker that must kill it; losing a kill is red."""

from typing import Final

from harness.mutants import answers, hubs, pages
from harness.mutants.catalog_delivery import DELIVERY_MUTANTS, SOCKET_MUTANTS
from harness.mutants.catalog_rest import REST_MUTANTS
from harness.mutants.catalog_security import SECURITY_MUTANTS
from harness.mutants.model import Mutant
from harness.mutants.parts import Parts

MUTANTS: Final = (
    Mutant(
        "drops_a_message",
        "every fourth message for an account misses the first of its connections",
        Parts(make_hub=hubs.DropsAMessage),
        ("RT-PUSH-1", "RT-PREFIX-1"),
        ("delivery", "prefix"),
    ),
    Mutant(
        "leaks_to_another_user",
        "every fourth message for one account goes to everyone",
        Parts(make_hub=hubs.LeaksToAnotherUser),
        ("RT-ISOLATION-1",),
        ("isolation",),
    ),
    Mutant(
        "moves_a_finished_task",
        "canceling a completed task queues it again",
        Parts(decisions=answers.moves_a_finished_task),
        ("TASK-FINAL-1",),
        ("lifecycle",),
    ),
    Mutant(
        "deaf_after_a_cut",
        "when one connection of an account is lost, its others miss the next message",
        Parts(make_hub=hubs.DeafAfterACut),
        ("RT-PUSH-1", "RT-PREFIX-1"),
        ("delivery", "prefix"),
        needs_fault="cut",
    ),
    Mutant(
        "stale_badge",
        "a task's badge keeps the first status it was given",
        Parts(page=pages.stale_badge),
        ("CLIENT-BADGE-1",),
        ("browser",),
        tiers=("t3",),
    ),
    *DELIVERY_MUTANTS,
    *SOCKET_MUTANTS,
    *REST_MUTANTS,
    *SECURITY_MUTANTS,
)

CANARY: Final = Mutant(
    "canary",
    "every message goes out twice; a run in which this passes is void",
    Parts(make_hub=hubs.SaysEverythingTwice),
    ("RT-PREFIX-2",),
    ("prefix",),
)

BY_NAME: Final[dict[str, Mutant]] = {mutant.name: mutant for mutant in (*MUTANTS, CANARY)}
