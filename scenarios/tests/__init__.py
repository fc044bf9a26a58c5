"""Tests of the scenarios as data."""
