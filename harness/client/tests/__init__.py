"""Tests of the client: vectors shared with the JavaScript twin, claims and invariants of the cores."""
