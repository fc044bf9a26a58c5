"""How a system is tested: clients, histories, checkers, faults, simulation, targets, mutants, command line.

Here live the protocol client, the recorders and the history they leave, the checkers that judge it, the
faults, the simulated world, the targets (simulated, local, remote) and the mutants that prove the checkers.

Never here: the system under test. Only `targets/simulated` and `mutants` reach into `reference_server` beyond
its contract.

To add a checker, fault or mutant, write it in its folder and list it in that folder's tuple; a test finds the
forgotten one.

Run `harness verify` for everything; `harness --help` is the menu.
"""
