"""SEC: tokens, keys, roles, ownership, origin, limits, page policy (contract §2)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Reach, held
from reference_server.contract.limits import SOCKETS_PER_ACCOUNT_MAX
from reference_server.contract.messages import SESSION_COOKIE

KEYS: Final = ("api-keys",)
KEYS_GRANTS: Final = ("accounts", "keys")
_CORE: Final = "reference_server/core/tests"
_SERVER: Final = "reference_server/tests"
_ACCOUNTS: Final = f"{_SERVER}/test_decisions_accounts.py"
_PROCESS: Final = f"{_SERVER}/test_process.py"
_COOKIE: Final = f"{_SERVER}/test_session_cookie.py"

TOKENS: Final = (
    Clause("SEC-TOKEN-1", "a call without a credential is 401 and says missing", "§2 401", depth=Depth.SMOKE),
    Clause("SEC-TOKEN-2", "what is no token is 401 malformed; a forged signature or another algorithm 401 invalid",
           "§2 token", depth=Depth.SMOKE),
    Clause("SEC-TOKEN-3", "an expired token is 401 expired", "§2 token", needs=("short_ttl",), grants=("accounts",)),
    Clause("SEC-TOKEN-4", "a token is 401 revoked once its logout was answered; with all, every token of the account",
           "§2 token", grants=("accounts",)),
    Clause("SEC-TOKEN-5", "a token never stands in a URL, a log or a record", "§2 where it stands",
           reach=Reach.WHITE_BOX,
           held_by=("harness/client/tests/test_rest.py::test_passwords_and_tokens_stand_in_no_event",
                    "harness/tests/test_verify.py::test_an_honest_server_passes_and_no_secret_stands_in_its_record",
                    "e2e/tests/test_recording.py::test_a_token_never_enters_the_record")),
    Clause("SEC-TOKEN-6", "the handshake takes the token as Bearer header or in the subprotocol pair, selects "
           "zerostate.v1 and does not echo the other", "§2 where it stands", depth=Depth.SMOKE),
    Clause("SEC-TOKEN-7", "every 401 says unauthorized, and which of missing, malformed, invalid, expired or revoked",
           "§2 401", depth=Depth.SMOKE),
    Clause("SEC-TOKEN-8", "the scheme Bearer is taken in any case", "§2 where it stands"),
    Clause("SEC-TOKEN-9", "the first place that holds a credential decides and the rest is not looked at",
           "§2 where it stands"),
    held("SEC-TOKEN-10", "a token without all of its claims, before its time or of an unknown account is invalid",
         "§2 token", f"{_ACCOUNTS}::test_a_claim_that_is_missing_or_of_a_wrong_type_is_invalid",
         f"{_ACCOUNTS}::test_an_unknown_account_and_a_token_of_tomorrow_are_invalid"),
    held("SEC-TOKEN-11", "the secret comes from the environment, else is made once and kept with mode 0600",
         "§2 token", f"{_PROCESS}::test_the_secret_and_the_database_are_private_and_outlive_the_process"),
    held("SEC-TOKEN-12", "revocations are stored", "§2 token",
         "reference_server/store/tests/test_store_conformance.py::test_revoked_tokens_are_remembered_until_they_expire",
         "reference_server/store/tests/test_sqlite.py::test_everything_is_there_after_opening_again"),
    held("SEC-TOKEN-14", "a credential in a URL is none", "§2 where it stands",
         f"{_SERVER}/test_keys.py::test_a_credential_in_the_url_is_none"),
    held("SEC-TOKEN-13", "a token lives 24 h, by setting", "§2 token",
         f"{_ACCOUNTS}::test_a_token_expires_at_its_exp",
         f"{_SERVER}/test_settings.py::test_the_longest_token_life_a_wildcard_and_networks_are_taken"),
    held("SEC-COOKIE-1", f"by setting, off by default, a same-site HttpOnly cookie {SESSION_COOKIE} carries a token",
         "§2 where it stands", f"{_COOKIE}::test_signing_in_sets_the_cookie_and_logging_out_clears_it",
         f"{_COOKIE}::test_by_default_no_cookie_is_set_or_taken", ext=True),
    held("SEC-COOKIE-2", "the cookie counts last, and for pages of the same site only", "§2 where it stands",
         f"{_COOKIE}::test_the_cookie_counts_last_and_for_known_pages_of_the_same_site_only",
         f"{_COOKIE}::test_a_strange_page_can_do_nothing_with_the_cookie", ext=True),
)  # fmt: skip

API_KEYS: Final = (
    Clause("SEC-KEY-1", "an API key stands wherever a token does and acts as its account", "§2 where it stands",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
    Clause("SEC-KEY-2", "with an API key logout and the management of keys are 403", "§3 users",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
    Clause("SEC-KEY-3", "a revoked key is 401 revoked at once and its sockets close with 4401", "§3 users",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
    Clause("SEC-KEY-4", "logging out everywhere leaves API keys as they are", "§3 users",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
    held("SEC-KEY-6", "an API key is stored hashed", "§3 users",
         f"{_SERVER}/test_keys.py::test_a_key_works_everywhere_a_token_does_until_it_is_revoked_and_never_shows_again",
         ext=True),
    Clause("SEC-KEY-5", "no list and no later answer shows an API key", "§3 users",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
)  # fmt: skip

LOGINS: Final = (
    Clause("SEC-LOGIN-1", "unknown e-mail and wrong password get one and the same answer", "§2 login",
           depth=Depth.SMOKE),
    Clause("SEC-LOGIN-2", "passwords are argon2id hashes made off the event loop, 503 over 64 waiting", "§2 login",
           reach=Reach.WHITE_BOX,
           held_by=(f"{_SERVER}/test_sign_in.py::test_2_threads_hash_and_64_wait_and_the_next_is_refused_at_once",
                    f"{_SERVER}/test_sign_in.py::test_hashes_cost_what_the_settings_say")),
    held("SEC-LOGIN-3", "an old hash is made again at login", "§2 login",
         f"{_SERVER}/test_sign_in.py::test_an_outdated_hash_is_made_again_at_login_and_only_by_the_right_password"),
    Clause("SEC-ROLE-1", "broadcast and send by an account without admin are 403 and nobody gets the message",
           "§2 roles", depth=Depth.SMOKE),
    held("SEC-ROLE-2", "an admin account is made at start from settings", "§2 roles",
         f"{_SERVER}/test_driver.py::test_the_admin_of_the_settings_can_sign_in_after_a_change_of_password"),
)  # fmt: skip

BOUNDS: Final = (
    Clause("SEC-OWN-1", "another account's task is 404 to read and to cancel", "§2 ownership",
           grants=("accounts", "tasks")),
    Clause("SEC-OWN-2", "another account's deployment is 404 to read and to stop, and in no list but its owner's",
           "§2 ownership", needs=("deployments",), grants=("accounts", "deployments")),
    Clause("SEC-OWN-3", "another account's API key is 404 to revoke, and in no list but its owner's", "§2 ownership",
           needs=KEYS, grants=KEYS_GRANTS),
    Clause("SEC-OWN-4", "another account's task is 404 in status and result too", "§2 ownership",
           needs=("results",), grants=("accounts", "tasks")),
    Clause("SEC-ORIGIN-1", "a handshake with an Origin outside the allowed ones is 403", "§2 origin",
           depth=Depth.SMOKE),
    Clause("SEC-ORIGIN-2", "every answer under /api/v1 varies with Origin", "§2 origin", depth=Depth.SMOKE),
    Clause("SEC-ORIGIN-3", "an allowed origin may read answers, Retry-After and ETag; another may not, and no answer "
           "allows credentials to a wildcard", "§2 origin"),
    Clause("SEC-RATE-1", "over a minute's allowance calls are 429 with Retry-After, after which one succeeds",
           "§2 limits", grants=("accounts", "flood")),
    Clause("SEC-RATE-2", "handshakes have a bucket of their own, 429 over it", "§2 limits",
           grants=("accounts", "flood", "connections")),
    Clause("SEC-RATE-3", "OPTIONS and what stands outside /api/v1 are not limited", "§2 limits",
           grants=("accounts", "flood")),
    held("SEC-RATE-4", "a call without a valid credential counts against its address, forwarded ones by configured "
         "proxies only", "§1 which error, §2 limits",
         f"{_SERVER}/test_http.py::test_over_the_allowance_of_an_address_429_says_when_a_call_succeeds",
         f"{_CORE}/test_admission.py::test_a_forwarded_address_counts_from_configured_proxies_only"),
    held("SEC-RATE-5", "allowances are settings, and off is one of them", "§2 limits",
         f"{_SERVER}/test_settings.py::test_how_often_and_how_dear_is_said_in_parts",
         f"{_SERVER}/test_rate_limits.py::test_without_rates_everything_passes"),
    Clause("SEC-SOCKETS-1", "over 32 live sockets of one user the longest silent closes with 4409", "§2 limits",
           grants=("accounts", "connections"), connections=SOCKETS_PER_ACCOUNT_MAX + 1),
    Clause("SEC-PATH-1", "no spelling of a path leads past a route or out of the pages", "§1 errors"),
    Clause("SEC-HEAD-1", "heads that are no HTTP or too large are refused and the server serves on", "§1 errors"),
)  # fmt: skip

PAGES: Final = (
    Clause("SEC-PAGE-1", "pages carry the strict Content-Security-Policy and nosniff and load nothing from others",
           "§2 pages", needs=("browser",), grants=("accounts",)),
    Clause("SEC-PAGE-2", "?next= leads to a path of ours only", "§2 pages", needs=("browser",), grants=("accounts",)),
    Clause("SEC-PAGE-3", "text from the server is shown as text", "§2 pages",
           needs=("browser",), grants=("accounts", "tasks")),
)  # fmt: skip

SEC: Final = (*TOKENS, *API_KEYS, *LOGINS, *BOUNDS, *PAGES)
