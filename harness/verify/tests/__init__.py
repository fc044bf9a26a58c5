"""Tests of verify: what a record tells, whoever reads it."""
