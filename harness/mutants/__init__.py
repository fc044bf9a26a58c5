"""Servers and pages broken on purpose, outside the server's own code: they prove that the checkers see.

Here live `parts` and `front` (the seams), a module for each part that is spoiled (`hubs`, `answers`, `pages` and
`rest_spoils`), `catalog` (the list, a module a theme, with the clauses that kill each), `suites` and `inside` (acts
asked of a mutant, in this process or over sockets), `selfcheck` (runs the kill matrix), `matrix` (what it says, written
and read; what no mutant proves, which may only shrink). `canary` is broken always: a run in which it passes is void.

Never here: a flag or a branch inside `reference_server`. A mutant stands at the seam where a process is composed.

To add one, spoil a part, give it a row in `catalog.MUTANTS` with the clause and checker that must kill it; losing a
kill is red. Serve one with `harness serve --mutant NAME` (`python -m harness.mutants NAME`), run the matrix with
`harness selfcheck`.
"""
