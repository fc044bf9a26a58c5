"""The system under test: a small realtime web system that keeps the whole contract.

Here live `contract/` (the contract, data only), `core/` (pure logic: input and now in, effects out), `store/`
(memory and SQLite under one interface), `pages/` (what a browser gets), and thin shells around them.

Never here: knowledge of its testers. No fault, mutant, test hook or import of `harness`.

To add an operation, add its row to the contract; routes, OpenAPI and clients follow from it. Then write its
decision in `core/`.

Run it with `python -m reference_server`, or with `harness serve`.
"""
