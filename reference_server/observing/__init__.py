"""What people and machines may know of a running process: figures, a log, no secret.

What lives here: who hears of every answer (observer.py), plain counters (metrics.py), Prometheus's text made of them
(exposition.py), the lines of the log (log_lines.py) and the thread that writes them (log_writer.py). What never does:
a path, a query, a body or a credential; an operation's name stands for them.
Run: `python -m pytest reference_server/tests -k "metrics or log"`.
"""
