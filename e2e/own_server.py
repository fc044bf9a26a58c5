"""A reference server of the browser tests' own, whose every start and end stands in the history."""

from typing import Final

from harness.history import Recorder
from harness.targets.local import ServerProcess

# Slow enough for an eye, and an observer, to see a task run; the pages' own calls are not what limits are about.
OPTIONS: Final = ("--limits", "off", "--task-ms", "150:400")


class OwnServer:
    """Starts, kills and starts again on one port and database."""

    def __init__(self, recorder: Recorder, mutant: str = "") -> None:
        self._recorder = recorder
        self._process = ServerProcess(options=OPTIONS, mutant=mutant)

    @property
    def url(self) -> str:
        """Where it is; the same after every start."""
        return self._process.url

    def start(self) -> None:
        """Start it and wait until it accepts; raises ServerDownError."""
        self._recorder.record("process", action="start")
        self._process.start()
        self._recorder.record("process", action="ready")

    def kill(self) -> None:
        """End it at once (kill -9)."""
        self._recorder.record("process", action="kill")
        self._process.kill()
        self._recorder.record("process", action="ended")

    def end(self) -> None:
        """End it and remove its database."""
        self._process.end()
