"""Tests of the load folder; Locust itself runs in child processes only, since its import patches the process."""
