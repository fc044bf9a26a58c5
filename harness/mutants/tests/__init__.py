"""Tests of the mutants themselves; that they are killed is tested in harness/tests."""
