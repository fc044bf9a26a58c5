"""Tests of virtual time and of what crosses its links."""
