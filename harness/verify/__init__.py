"""`harness verify`: everything against one target, into one record, with one report and an honest exit code.

Here live `options` (what is asked, checked first), `parts` (what is done to the target), `outside` (browser and load,
which run in processes of their own), `groups` (several histories, one result a clause), `progress` and `run` (the order
of it all).

Never here: judging a clause or drawing a page. To add a part, name it in `harness.conformance.catalog.PARTS`, say there
which clauses it exercises, and give it a method in `parts`.

Run `harness verify`; `./dev verify` in a checkout.
"""
