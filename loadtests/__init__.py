"""Load: many virtual users of Locust, with every message they should get accounted for.

Here live the scenarios of load (data), the users, their transport, what they record, and whether a run counts as valid.

Never here: rules of the contract, judgement, or asyncio: all of it stays importable after gevent's patching. Only
`locustfile` and `users` import Locust, whose import patches the process; nothing else may import those two.

To add a scenario, write a module with one `LoadScenario` and name it in `catalog.SCENARIOS`. To add a kind of user,
write its class in `users` and name it in the locustfile, which holds no logic.

Run `harness load hello --users 50 --duration 10s`.
"""
