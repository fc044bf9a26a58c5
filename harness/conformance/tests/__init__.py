"""Tests of the suites' own tools and tables."""
