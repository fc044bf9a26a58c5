"""The contract as data: routes, models, messages, codes, limits, lifecycle, clauses.

Everything that must agree reads it: server, OpenAPI, clients, strategies, checkers, load-test names. It holds no
logic and imports nothing but msgspec. To add an operation, add its models and one row to `operations.OPERATIONS`,
clauses to `clauses`, and run `python -m reference_server.contract.export` (a test fails on drift).
"""
