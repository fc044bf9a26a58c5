"""What RFC 6455 asks of a server, case by case over raw sockets; every case is a row of data.

Here live `model` (what a case is, and the few kinds of them), one table a theme (`opening`, `framing`, `fragmentation`,
`pings`, `utf8`, `closing`, `limits`), and `acts`, which plays a table's cases side by side within the connections that
the target allows.

Never here: judging. A case records what it expects, and `harness/checkers/cases.py` judges the record.

To add a case, put a row into its theme's table; a test shows it against the reference server.

Run `harness verify --only rfc6455`, with `--target URL` against a server of your own.
"""
