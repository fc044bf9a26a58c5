"""Tests of the suite: its tables, against the reference server, and against peers that break a rule each."""
