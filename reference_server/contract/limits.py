"""Every number of the contract, by name, so that no other module holds one of its own.

Times are whole seconds or milliseconds as the suffix says; sizes are bytes unless the name says otherwise.
"""

from typing import Final

# §1 conventions
JSON_DEPTH_MAX: Final = 64
ERROR_PHRASE_CHARS_MAX: Final = 80

# §2 tokens and passwords
TOKEN_TTL_S: Final = 24 * 3600
PASSWORD_BYTES_MIN: Final = 8
PASSWORD_BYTES_MAX: Final = 72
ARGON2_MEMORY_KIB: Final = 19 * 1024
ARGON2_TIME_COST: Final = 2
ARGON2_PARALLELISM: Final = 1
HASH_THREADS_MAX: Final = 2
HASH_WAITING_MAX: Final = 64

# blobs: what one process carries in and out at once; 503 over it
UPLOADS_MAX: Final = 64
UPLOADS_PER_ACCOUNT_MAX: Final = 16
DOWNLOADS_MAX: Final = 256
DOWNLOADS_PER_CALLER_MAX: Final = 32
DOWNLOAD_CHUNK_BYTES: Final = 64 * 1024
OFFLOAD_THREADS_MAX: Final = 4
OFFLOAD_WAITING_MAX: Final = 1024
BLOB_CHECK_S_MAX: Final = 5

# §1 service
READY_KEPT_S: Final = 1
"""How long the outcome of a check stands: it writes, and anybody may ask for one."""

# §2 rate limits: token buckets
RATE_PER_MINUTE_ADDRESS: Final = 100
RATE_PER_MINUTE_ACCOUNT: Final = 1200
HANDSHAKE_BURST: Final = 60
HANDSHAKES_PER_S: Final = 10
SOCKETS_PER_ACCOUNT_MAX: Final = 32

# §2 sizes
JSON_BODY_BYTES_MAX: Final = 1024 * 1024
CLIENT_MESSAGE_BYTES_MAX: Final = 64 * 1024
SERVER_MESSAGE_BYTES_MAX: Final = 64 * 1024
AVATAR_BYTES_MAX: Final = 5 * 1024 * 1024
BINARY_BYTES_MIN: Final = 1024
BINARY_BYTES_MAX: Final = 50 * 1024 * 1024
FORM_OVERHEAD_BYTES_MAX: Final = 256 * 1024
"""What a multipart body may hold beside its file: text fields, part headers, boundaries."""
FORM_TEXT_BYTES_MAX: Final = 128 * 1024
FORM_PARTS_MAX: Final = 128
PART_HEADERS_MAX: Final = 8
PART_HEADER_BYTES_MAX: Final = 4 * 1024
BOUNDARY_CHARS_MAX: Final = 70
"""RFC 2046 §5.1.1."""
NAME_CHARS_MAX: Final = 100
DESCRIPTION_CHARS_MAX: Final = 2000
CAPABILITY_CHARS_MAX: Final = 64
CAPABILITIES_MAX: Final = 50
FULL_NAME_CHARS_MAX: Final = 100
EMAIL_CHARS_MAX: Final = 254
EMAIL_PATTERN: Final = (
    r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\Z"
)
CONFIG_BYTES_MAX: Final = 16 * 1024
CONSTRAINTS_BYTES_MAX: Final = 16 * 1024
TASK_ERROR_CHARS_MAX: Final = 1000

# §3 operations
LISTED_MAX: Final = 1000
"""What a list without pages shows at most: the newest ones; its `total` counts all."""
QUERY_CHARS_MAX: Final = 10_000
FORM_JSON_BYTES_MAX: Final = 10 * 1024
"""An object in a field of a form, as JSON text: what an agent's `metadata` and `resources` may hold."""
VERSION_CHARS_MAX: Final = 64
VERSION_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z.+_-]*\Z"
CURRENCY_CHARS_MAX: Final = 16
SIMULATED_MS_MAX: Final = 24 * 3600 * 1000
SIMULATED_FAILS_MAX: Final = 1_000_000
TASK_TIMEOUT_S_DEFAULT: Final = 30
TASK_TIMEOUT_S_MAX: Final = 300
TASKS_LIMIT_DEFAULT: Final = 50
TASKS_LIMIT_MAX: Final = 200
AGENTS_LIMIT_DEFAULT: Final = 20
AGENTS_LIMIT_MAX: Final = 100
PAGE_NUMBER_MAX: Final = 2**31 - 1

# §4 lifecycle
TASK_RETRIES_MAX: Final = 3
RETRY_DELAYS_S: Final = (1, 2, 3)

# §5 delivery
OUTBOX_MESSAGES_MAX: Final = 256
OUTBOX_BYTES_MAX: Final = 1024 * 1024
SEND_BUFFER_BYTES: Final = 64 * 1024
FRAME_BURST_MAX: Final = 100
FRAMES_PER_S: Final = 20
ABORT_AFTER_CLOSE_S: Final = 5

# §5 liveness
SERVER_PING_PERIOD_S: Final = 54
SILENCE_S_MIN: Final = 60
SILENCE_S_MAX: Final = 66
HANDSHAKE_TIMEOUT_S: Final = 10
KEEP_ALIVE_IDLE_S: Final = 60
BODY_STALL_S: Final = 30
BODY_STALL_BYTES_MIN: Final = 1024
REVOCATION_EFFECT_S_MAX: Final = 1
SHUTDOWN_CLOSE_S_MAX: Final = 5

# §6 browser client
CLIENT_PING_PERIOD_S: Final = 25
CLIENT_PONG_TIMEOUT_S: Final = 10
RECONNECT_DELAYS_S: Final = (1, 2, 4, 8, 16)
RECONNECT_DELAY_S_MAX: Final = 30
RECONNECT_JITTER: Final = 0.10
RECONNECT_ATTEMPTS_MAX: Final = 5
RECONNECT_RESET_AFTER_OPEN_S: Final = 5
STALE_PONG_S: Final = 35
CONVERGE_AFTER_RECONNECT_S: Final = 2

# §8 budgets
CONNECT_P95_MS_LOCAL: Final = 100
CONNECT_P95_MS_PRODUCTION: Final = 500
DELIVERY_P99_MS: Final = 50
PING_PONG_WIRE_BYTES_CLAIMED: Final = 100
"""What the original says that they take, about; the limit below is what is judged."""
PING_PONG_WIRE_BYTES_MAX: Final = 250
