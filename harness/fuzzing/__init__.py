"""The reference server fuzzed by its own document: Schemathesis, every check and every phase, from one seed.

`rules` says where generated data is helped along, because JSON Schema can't state the rule, each with its reason;
`hooks` hands them to Schemathesis; `session` starts a server with accounts of its own; `outcome` counts what was
answered and judges the run. Never here: a check that is switched off to be rid of a finding, or a word on what the
contract says, which is in `reference_server/contract`.

To help a new operation along, add a row to `rules.RULES`; if its answers differ from what Schemathesis expects of every
API, a row to `rules.PROMISES`. Run with `nox -s fuzz`, or `python -m harness.fuzzing --seconds 30 --seed 7`.
Needs the extra `dev`.
"""
