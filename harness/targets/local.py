"""The reference server, or a mutant of it, as a child process on this machine.

It can be killed and started again on the same database and port, and its acceptance tap becomes the recorder `server`.
A child never outlives its target: `end` is called on every way out, and a child that ignores SIGTERM is killed.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from harness.client.rest import Transport
from harness.client.shell import HttpTransport
from harness.history import Event, Recorder, Sink
from harness.targets.manners import Connections
from harness.targets.profiles import OWN, Credentials, Profile
from harness.targets.remote import RemoteTarget

READY: Final = "ready "
START_S_MAX: Final = 20.0
STOP_S_MAX: Final = 15.0
POLL_S: Final = 0.02
LOG_LINES_TOLD: Final = 3
ADMIN_EMAIL: Final = "zsh-admin@example.com"
ADMIN_SECRET_BYTES: Final = 18
FAST_TASKS: Final = ("--task-ms", "20:80")


class ServerDownError(Exception):
    """The server did not start, or did not stop; the last lines of its log say why."""

    def __init__(self, what: str, log: str) -> None:
        super().__init__(what, log)
        self.what = what
        self.log = log

    def __str__(self) -> str:
        return f"{self.what}: {self.log}" if self.log else self.what


class ServerProcess:
    """A server as a child: its database, port, log and tap outlive a restart, the child does not outlive us."""

    def __init__(
        self,
        *,
        mutant: str = "",
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="zsh-server-"))
        self._mutant = mutant
        self._options = tuple(options)
        self._environment = dict(environment or {})
        self._child: subprocess.Popen[bytes] | None = None
        self._read_from = 0
        self.log = log or self._folder / "server.log"
        self.tap = self._folder / "tap.jsonl"
        self.port = 0
        self.url = ""

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def __enter__(self) -> Self:
        """Start; raises ServerDownError."""
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End, whatever happened."""
        self.end()

    def start(self) -> None:
        """Start the child and wait until it accepts; raises ServerDownError."""
        # The log goes on over restarts: `ready` is looked for behind what an earlier child wrote.
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._read_from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment, "PYTHONUNBUFFERED": "1"},
                # Ctrl-C is for us: we end the child ourselves, in order.
                start_new_session=True,
            )
        self.url = self._wait_ready()
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End the child at once (kill -9)."""
        self._signal(signal.SIGKILL)
        self.wait(STOP_S_MAX)

    def terminate(self) -> None:
        """Ask the child to end (SIGTERM) without waiting."""
        self._signal(signal.SIGTERM)

    def wait(self, deadline_s: float) -> int | None:
        """Wait for the child's end; return its exit code, or None when the deadline came first."""
        if self._child is None:
            return None
        try:
            return self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the child, however it takes it, and remove its database."""
        if self.pid is not None:
            self.terminate()
            if self.wait(STOP_S_MAX) is None:
                self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: int) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def _command(self) -> list[str]:
        module = ["harness.mutants", self._mutant] if self._mutant else ["reference_server"]
        own = ["--port", str(self.port), "--db", str(self._folder / "zerostate.db"), "--tap", str(self.tap)]
        # -P: what lies in the user's folder under one of our names is not imported.
        return [sys.executable, "-P", "-m", *module, *own, *self._options]

    def _wait_ready(self) -> str:
        until = time.monotonic() + START_S_MAX
        while time.monotonic() < until:
            for line in self._new_log().splitlines():
                if line.startswith(READY):
                    return line.removeprefix(READY).strip().rstrip("/")
            if self.pid is None:
                code = self._child.poll() if self._child is not None else None
                raise ServerDownError(f"the server ended with {code} before it was ready", self._told())
            time.sleep(POLL_S)
        self.kill()
        raise ServerDownError(f"the server was not ready within {START_S_MAX:g} s", self._told())

    def _new_log(self) -> str:
        return self.log.read_bytes()[self._read_from :].decode("utf-8", "replace")

    def _told(self) -> str:
        return " | ".join(line.strip() for line in self._new_log().splitlines()[-LOG_LINES_TOLD:])


class LocalTarget(RemoteTarget):
    """The reference server as a target that has and allows everything; `start` happens in the constructor.

    `tap_sink` takes the server's accepted publishes, as recorder `server_recorder`, when `read_tap` is called.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        seed: int = 0,
        run: str = "",
        mutant: str = "",
        options: Sequence[str] = ("--limits", "off", *FAST_TASKS),
        tap_sink: Sink | None = None,
        server_recorder: str = "server",
        log: Path | None = None,
        runner: asyncio.Runner | None = None,
    ) -> None:
        password = secrets.token_urlsafe(ADMIN_SECRET_BYTES)
        recorder.mask(password)
        admin = Credentials(ADMIN_EMAIL, password)
        self.server = ServerProcess(
            mutant=mutant,
            options=options,
            environment={"ZEROSTATE_ADMIN_EMAIL": admin.email, "ZEROSTATE_ADMIN_PASSWORD": admin.password},
            log=log,
        )
        try:
            self.server.start()
            profile = Profile(api=self.server.url, name=mutant or "local", admin=admin)
            super().__init__(profile, recorder, seed=seed, run=run, runner=runner)
        except BaseException:
            self.server.end()
            raise
        self.capabilities = OWN
        self.connections = Connections(self.name, self.capabilities.connections_max)
        self._tap_sink = tap_sink
        self._tap_recorder = server_recorder
        self._tap_read = 0
        self._tap_index = 0

    def _paced(self, transport: HttpTransport) -> Transport:
        # Nothing to be polite to: an answer is judged as it comes, 429 included.
        return transport

    async def kill(self) -> None:
        """Kill the server at once (kill -9) and record it."""
        self.recorder.record("process", action="kill")
        await asyncio.to_thread(self.server.kill)
        self.recorder.record("process", action="ended")

    async def terminate(self, deadline_s: float = STOP_S_MAX) -> int | None:
        """Ask the server to end (SIGTERM), wait, record its exit code and return it."""
        self.recorder.record("process", action="terminate")
        self.server.terminate()
        code = await asyncio.to_thread(self.server.wait, deadline_s)
        self.recorder.record("process", action="ended", code=code)
        return code

    async def restart(self) -> None:
        """Start the server again on its database and port, and record it; raises ServerDownError."""
        self.recorder.record("process", action="start")
        await asyncio.to_thread(self.server.start)
        self.recorder.record("process", action="ready")

    def read_tap(self) -> int:
        """Hand on what the server accepted since the last reading; return how many events that were."""
        if self._tap_sink is None or not self.server.tap.exists():
            return 0
        with self.server.tap.open("rb") as file:
            file.seek(self._tap_read)
            whole, _, _ = file.read().rpartition(b"\n")
        self._tap_read += len(whole) + 1 if whole else 0
        lines = [line for line in whole.splitlines() if line]
        for line in lines:
            self._tap_sink(self._accepted(line))
        return len(lines)

    def _accepted(self, line: bytes) -> Event:
        # A restarted server counts its lines from 0 again; the recorder goes on.
        told = msgspec.json.decode(line, type=Event)
        event = msgspec.structs.replace(told, recorder=self._tap_recorder, index=self._tap_index)
        self._tap_index += 1
        return event

    async def close(self) -> None:
        """Close tabs and connections; the server's data goes with it, so nothing is cleaned up."""
        self.sessions.clear()
        self._made.clear()
        await super().close()
        self.read_tap()

    def end(self) -> None:
        """End the child and the loop, on every way out."""
        with contextlib.suppress(RuntimeError):
            super().end()
        self.read_tap()
        self.server.end()
