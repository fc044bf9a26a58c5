"""Stores: the owners of durable state, behind one interface (`base`).

`memory` keeps everything in the process, for simulation and tests; `sqlite` keeps it in one file that survives
`kill -9`. A store holds rows and answers questions about them; it never decides anything, knows no HTTP and reads
no clock. To add one, implement `Store` and `Transaction` and give it a row in `tests/test_store_conformance.py`,
the suite that all pass. Run it with `nox -s tests -- reference_server/store`.
"""

from reference_server.store.base import Store, StoreError
from reference_server.store.memory import MemoryStore
from reference_server.store.sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore", "Store", "StoreError"]
