"""Tests of the pure core: tables, whole days of virtual time, and properties."""
