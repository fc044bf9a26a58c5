"""Tests of the targets: one conformance suite for all, and what each is alone in."""
