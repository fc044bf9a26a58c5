"""SEC: tokens, roles, ownership, origin, limits, page policy (contract §2)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Reach
from reference_server.contract.limits import SOCKETS_PER_ACCOUNT_MAX

SEC: Final = (
    Clause("SEC-TOKEN-1", "a call without a credential is 401 and says missing", "§2 401", depth=Depth.SMOKE),
    Clause("SEC-TOKEN-2", "what is no token is 401 malformed; a forged signature or another algorithm 401 invalid",
           "§2 token", depth=Depth.SMOKE),
    Clause("SEC-TOKEN-3", "an expired token is 401 expired", "§2 token", needs=("short_ttl",), grants=("accounts",)),
    Clause("SEC-TOKEN-4", "a token is 401 revoked once its logout was answered; with all, every token of the account",
           "§2 token", grants=("accounts",)),
    Clause("SEC-TOKEN-5", "a token never stands in a URL, a log or a record", "§2 where it stands",
           reach=Reach.WHITE_BOX),
    Clause("SEC-TOKEN-6", "the handshake takes the token as Bearer header or in the subprotocol pair, selects "
           "zerostate.v1 and does not echo the other", "§2 where it stands", depth=Depth.SMOKE),
    Clause("SEC-LOGIN-1", "unknown e-mail and wrong password get one and the same answer", "§2 login",
           depth=Depth.SMOKE),
    Clause("SEC-LOGIN-2", "passwords are argon2id hashes made off the event loop, 503 over 64 waiting", "§2 login",
           reach=Reach.WHITE_BOX),
    Clause("SEC-ROLE-1", "broadcast and send by an account without admin are 403 and nobody gets the message",
           "§2 roles", depth=Depth.SMOKE),
    Clause("SEC-OWN-1", "another account's task is 404 to read and to cancel", "§2 ownership",
           grants=("accounts", "tasks")),
    Clause("SEC-ORIGIN-1", "a handshake with an Origin outside the allowed ones is 403", "§2 origin",
           depth=Depth.SMOKE),
    Clause("SEC-RATE-1", "over a minute's allowance calls are 429 with Retry-After, after which one succeeds",
           "§2 limits", grants=("accounts", "flood")),
    Clause("SEC-RATE-2", "handshakes have a bucket of their own, 429 over it", "§2 limits",
           grants=("accounts", "flood", "connections")),
    Clause("SEC-SOCKETS-1", "over 32 live sockets of one user the longest silent closes with 4409", "§2 limits",
           grants=("accounts", "connections"), connections=SOCKETS_PER_ACCOUNT_MAX + 1),
    Clause("SEC-PAGE-1", "pages carry the strict Content-Security-Policy and nosniff and load nothing from others",
           "§2 pages", needs=("browser",), grants=("accounts",)),
    Clause("SEC-PAGE-2", "?next= leads to a path of ours only", "§2 pages", needs=("browser",), grants=("accounts",)),
    Clause("SEC-PAGE-3", "text from the server is shown as text", "§2 pages",
           needs=("browser",), grants=("accounts", "tasks")),
)  # fmt: skip
