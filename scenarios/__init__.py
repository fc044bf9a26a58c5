"""What happens in a run, as data: who connects, what they do, which faults strike when, which budgets hold.

Here live one file per scenario, the catalog that lists them, and the saved scripts of every bug fixed.

Never here: code that runs anything, so no client, socket, clock or random draw.

To add one, write its file and list it in the catalog.

Run one with `harness simulate NAME` on virtual time; `harness verify` runs it on sockets.
"""
