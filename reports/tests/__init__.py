"""Tests of the reports, over synthetic records that `records` builds."""
