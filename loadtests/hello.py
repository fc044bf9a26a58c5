"""`hello`: the smallest load that touches every part: sign in, connect, submit, read the pushes."""

from typing import Final

from loadtests.plan import LoadScenario

HELLO: Final = LoadScenario(
    name="hello",
    summary="every user submits a task a second and waits for its pushes",
    constraints={"simulate": {"outcome": "complete", "duration_ms": 50}},
)
