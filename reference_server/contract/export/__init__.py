"""The documents that are made from the tables: `python -m reference_server.contract.export` rewrites them.

`openapi` and `asyncapi` each give one document; `schemas` are the models as JSON Schema, which both share; `requests`,
`responses` and `links` are parts of OpenAPI. With `--check` nothing is written: exit code 1 says that a file has
drifted. Nothing stands in a document that the tables don't hold, and the same tables always give the same bytes.

To put something new into a document, put it into a table of the contract first. Never here: what a rule *is*.
"""
