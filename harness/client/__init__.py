"""Our client of the protocol: the pure core of the browser client, and the shells that carry out its effects.

Here live `core` (the reconnect machine), `signals` (its events, effects and state), `pushes` (what a message
means for a page) and `reload` (when to read again); shells over asyncio and REST stand beside them.

Never here: judging. A client acts and reports what it saw.

To change the machine, change its JavaScript twin in `reference_server/pages/js` and the shared vectors in
`reference_server/contract/client_vectors.json` in the same commit.
"""
