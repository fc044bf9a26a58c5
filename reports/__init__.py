"""What people read after a run: one HTML file, a summary, a gate.

Here live the outcome of a run in one sentence, its figures and charts, the page and its template, the summary for CI
(`summary.md`), JUnit XML (`junit.xml`) and the gate that turns a record into an exit code.

Never here: judging. A report shows the verdicts in the record and reads nothing else; no clock, no network.

To add a part, write a module that turns the record into values, feed it to the page from `view`, and give it a section
of its own in `templates/report.html`.

Run `harness report .runs/latest`.
"""
