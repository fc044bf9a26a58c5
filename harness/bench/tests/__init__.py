"""Tests of the bench: what it counts is right; how fast anything is, no test says."""
