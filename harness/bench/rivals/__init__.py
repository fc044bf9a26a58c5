"""The rivals: other servers that fan out, each at its best reasonable settings, to hold the reference server against.

Here lives one module each: `floor` (a bare loop of `sock.send`), `picows_server`, `broadcast` (the `websockets`
library) and `stock` (uvicorn's own socket path), and `publishing`: the welcome that each says, and the tiny HTTP answer
by which it is told to fan out. A rival parses no JSON, knows no accounts and has no rule to keep: what it shows is what
its way of writing costs.

Never here: a choice that makes a rival slower than its documentation would. To add one, write a module with `serve` and
list it in `RIVALS`.

Run: `python -m harness.bench.rivals NAME`, which says `ready PORT PUBLISH_PORT`, or `missing WHY`.
"""
