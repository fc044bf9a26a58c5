"""What can be set when a process starts: on the command line, in the environment, in a file; the first one counts.

What lives here: the settings (values.py), every one as a row of a table (table.py), the options and the help made of
it (options.py), what all sources say together (sources.py), secrets that nobody set (secrets_file.py), the certificate
(tls.py). What never does: anything that serves, since `--help` and refusals must not wait for it. To add one, give
`Settings` a field and the table a row. Run: `python -m pytest reference_server/tests -k "settings or secrets or tls"`.
"""
