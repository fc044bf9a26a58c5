"""Suites that run against any target: what is asked, and in each question what the contract expects.

Here live `suite` (rows and acts), `stage` (the target and its people, as acts see them), `raw_socket` and `raw_http`
(clients that can misbehave), and one module of rows and acts a noun, `agent_cases` to `task_cases`; `catalog` lists
them.

Never here: judging. A suite acts and records; `harness/checkers` judge the record, so that a better checker can judge
an old run.

To add a case, put a `Row` or an `Act` into its suite's tuple with the clauses it exercises; a test finds the clause
that nothing exercises, and `catalog` says which suite exercises which.

Run `harness verify --only rest,security,socket,process`.
"""
