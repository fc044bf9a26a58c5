"""The pages in a real browser: tests act and record, checkers judge the record.

Here live the fixtures, one page object per page, and a test per page and per promise.

Never here: verdicts on the contract. An assertion says only that a step could be done.

To add a page, write its object in `pages/` and its `test_<page>.py`, marked `browser`.

Run `harness e2e`, or `nox -s e2e` in a checkout.
"""
