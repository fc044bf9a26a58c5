"""The pages in a real browser: tests act and record, checkers judge the record.

Here live the fixtures (`conftest`), one page object a page (`pages/`), a test a page and a promise, and what they
stand on: `visits` (a recorded page in a context of its own), `recording` and `observer.js` (what a page did, with its
own instants), `people` (accounts and REST beside the pages), `comparing` (a page read beside REST), `own_server` (one
that may be killed), `judging` (for a session that nobody else judges). `tests/` proves the recorder itself.

Never here: verdicts on the contract. An assertion says only that a step could be done; what could not be done is a
`note` with its clauses and the reason. What an event says is defined by its judges: `harness.checkers.browser`,
`pages`, `backoff` and `sockets`.

To add a page, write its object in `pages/` and its `test_<page>.py`, marked `browser`; `clauses(...)` names what is
judged from it, and with a run record only tests whose clauses its depth reaches are run.

Run `harness e2e`, or `nox -s e2e` in a checkout.
"""
