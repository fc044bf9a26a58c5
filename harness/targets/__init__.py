"""Where a scenario can be run: something with sessions, tabs and a clock, whatever the tier.

Here live `base` (what a target is), `simulated` (the pure core on virtual time), `local` (the reference server or a
mutant as a child process), `remote` (any URL) and `profiles` (how a foreign target differs).

Never here: what is done to a target (scenarios, `harness/conformance`) and what is thought of it (checkers).

To add a target, implement `base.Target` and give it to the conformance suite in `tests/test_targets.py`.

Run `harness verify --target URL|FILE.toml`; `harness list profiles` shows what a profile can say.
"""
