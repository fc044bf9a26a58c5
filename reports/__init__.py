"""What people read after a run: one HTML file, a summary, a gate.

Here live the loading of a run record, its figures and charts, the page and its templates.

Never here: judging. A report shows the verdicts in the record and reads nothing else.

To add a part, give it a section of its own in the page and feed it from the record.

Run `harness report .runs/latest`.
"""
