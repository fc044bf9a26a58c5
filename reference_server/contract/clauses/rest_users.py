"""REST of accounts: sessions, profile, avatar, API keys (contract §3 users)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth

KEYS: Final = ("api-keys",)
KEYS_GRANTS: Final = ("accounts", "keys")

REST_USERS: Final = (
    Clause("REST-USER-1", "registering makes an account whose token and user the answer gives", "§3 users",
           grants=("accounts",)),
    Clause("REST-USER-2", "e-mails compare without case: registering one again is 409, also at the same time",
           "§3 users", grants=("accounts",)),
    Clause("REST-USER-3", "login answers the account that registered, me shows it", "§3 users", depth=Depth.SMOKE),
    Clause("REST-LOGOUT-1", "logout takes no body, or a boolean all, and answers 200 with a message", "§3 users",
           grants=("accounts",)),
    Clause("REST-PROFILE-1", "PUT /users/me changes the name, and with the password the e-mail one signs in with",
           "§3 users", needs=("profile-changes",), grants=("accounts",), ext=True),
    Clause("REST-PROFILE-2", "a change of e-mail is 401 with a wrong password and 409 for one that is taken",
           "§3 users", needs=("profile-changes",), grants=("accounts",), ext=True),
    Clause("REST-AVATAR-1", "a JPEG, PNG, GIF or WebP by content becomes the picture that me shows", "§3 users",
           needs=("avatars",), grants=("accounts",)),
    Clause("REST-AVATAR-2", "a picture is served without a token, with its stored type, nosniff and CSP sandbox",
           "§3 users", needs=("avatars",), grants=("accounts",)),
    Clause("REST-AVATAR-3", "what is no picture by content is 400, and over 5 MiB 413", "§3 users",
           needs=("avatars",), grants=("accounts",)),
    Clause("REST-AVATAR-4", "a picture's URL can't be guessed, and each upload has another", "§3 users",
           needs=("avatars",), grants=("accounts",)),
    Clause("REST-KEY-1", "API keys are listed with their fields, revoked ones included", "§3 users",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
    Clause("REST-KEY-2", "a key is shown once, when it is made, and begins with zs_live_ or zs_test_ as asked",
           "§3 users", needs=KEYS, grants=KEYS_GRANTS, ext=True),
    Clause("REST-KEY-3", "revoking answers revoked, again as well; an unknown or another's key is 404", "§3 users",
           needs=KEYS, grants=KEYS_GRANTS, ext=True),
    Clause("REST-KEY-4", "a key says when it was used last", "§3 users", needs=KEYS, grants=KEYS_GRANTS, ext=True),
)  # fmt: skip
