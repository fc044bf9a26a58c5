"""Tests of the harness as a whole, and the laws of the architecture as tests.

Here live `test_laws_*.py`, which read every file of the project and name the offender with its line, and the
tests of the modules directly under `harness/`. Tests of a sub-package lie beside it, never here.

To add a law, write a function that gives one sentence per offence, a test that it gives none for the project,
and a test with a bad example that proves it can.

Run them with `nox -s tests -- -k laws`.
"""
