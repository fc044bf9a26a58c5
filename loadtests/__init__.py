"""Load: many virtual users of Locust, with every message they should get accounted for.

Here live the users, their transport, the shapes of load, what they record, and whether a run counts as valid.

Never here: rules of the contract, judgement, or asyncio: all of it stays importable after gevent's patching.

To add a user, write its class and name it in the locustfile, which holds no logic.

Run `harness load hello --users 50 --duration 10s`.
"""
