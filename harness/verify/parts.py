"""The parts of a run that act on targets over asyncio: suites, scenario, process faults.

Each side server gets a history of its own. On a local run every part has the server that suits it; on a foreign target
all of them use the one that was given, and what needs another server is left out.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from harness.client.rest import SignInError
from harness.conformance import process_cases
from harness.conformance.catalog import ACTS, ROWS
from harness.conformance.rfc6455.speech import told_of
from harness.conformance.stage import Stage
from harness.conformance.suite import Place, chosen_acts, chosen_rows, play_all
from harness.history import FileSink, Recorder
from harness.records import RunRecord
from harness.seeds import derived, people
from harness.targets.local import FAST_TASKS, LocalTarget
from harness.targets.remote import RemoteTarget
from harness.verify.groups import MAIN, group_sink, recorder_name
from harness.verify.health import TargetDownError
from harness.verify.options import Options
from harness.verify.plan import RFC6455, wants_people
from harness.verify.progress import Progress

SHORT_TTL_S: Final = 3
CLIENT: Final = "client"
SERVER: Final = "server"
SERVERS: Final[dict[str, tuple[str, ...]]] = {
    MAIN: ("--limits", "off", *FAST_TASKS),
    "limits": FAST_TASKS,
    "short": ("--limits", "off", "--token-ttl", str(SHORT_TTL_S), *FAST_TASKS),
    "scenario": ("--limits", "off"),
    "process": ("--limits", "off", *FAST_TASKS),
    "load": ("--limits", "off", *FAST_TASKS),
}
"""How the server of each group is set; the defaults of the contract but for what the group is about."""


class Parts:
    """Opens targets, plays parts on them, and closes everything on every way out."""

    def __init__(self, options: Options, record: RunRecord, seed: int, progress: Progress) -> None:
        self.options = options
        self.record = record
        self.seed = seed
        self.run_name = f"{derived(seed, record.info.id) & 0xFFFFFFFF:08x}"
        self.progress = progress
        self.left_behind: list[str] = []
        self.notes: list[str] = []
        self._runner = asyncio.Runner()
        self._targets: dict[str, RemoteTarget] = {}
        self._sinks: list[FileSink] = []

    # --- targets

    async def open(self, group: str) -> RemoteTarget:
        """Return the target of a group, started if it is a local one; raises ServerDownError."""
        if group not in self._targets:
            # In a thread: a loop that stood still while a server starts would falsify what others measure.
            self._targets[group] = await asyncio.to_thread(self._opened, group)
        return self._targets[group]

    def started(self, group: str) -> RemoteTarget:
        """Return the target of a group between two runs of the loop; raises ServerDownError."""
        if group not in self._targets:
            self._targets[group] = self._opened(group)
        return self._targets[group]

    def _opened(self, group: str) -> RemoteTarget:
        profile = self.options.profile
        recorder = self._recorder(group, CLIENT)
        if profile is not None:
            return RemoteTarget(profile, recorder, seed=self.seed, run=self.run_name, runner=self._runner)
        return self._started(group, recorder)

    def _started(self, group: str, recorder: Recorder) -> RemoteTarget:
        tap = None if group == "load" else self._sink(group, SERVER)
        return LocalTarget(
            recorder,
            seed=self.seed,
            run=self.run_name,
            mutant=self.options.mutant,
            options=SERVERS[group],
            tap_sink=tap,
            server_recorder=recorder_name(group, SERVER),
            log=self.record.path / "logs" / f"{group}.log",
            runner=self._runner,
        )

    def _recorder(self, group: str, name: str) -> Recorder:
        return Recorder(recorder_name(group, name), time.monotonic_ns, self._sink(group, name))

    def _sink(self, group: str, name: str) -> FileSink:
        sink = group_sink(self.record.path, group, name)
        self._sinks.append(sink)
        return sink

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Drive the parts to their end on the one loop that all targets share; raises what the first one raised."""
        try:
            self._runner.run(main)
        except BaseExceptionGroup as group:
            raise first_of(group) from group

    def end(self) -> None:
        """Close what is open, end the children, on every way out; what was left behind is collected."""
        for target in self._targets.values():
            try:
                self._runner.run(self._closed(target))
            finally:
                self.left_behind += target.left_behind if not self.options.local else []
                target.end()
        self._targets.clear()
        self._runner.close()
        for sink in self._sinks:
            sink.close()

    async def _closed(self, target: RemoteTarget) -> None:
        await target.close()

    async def close(self, group: str) -> None:
        """End a side target as soon as its part is over."""
        if self.options.local:
            target = self._targets.pop(group)
            await target.close()
            await asyncio.to_thread(target.end)

    # --- parts

    async def suites(self, meanwhile: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Play rows and acts of the chosen suites on the main target; slow ones run while `meanwhile` does."""
        chosen = [part for part in ROWS.keys() | ACTS.keys() if part in self.options.only]
        if not chosen:
            await meanwhile()
            return
        stage = await self._stage(MAIN, with_people=wants_people(self.options.profile, self.options.only))
        rows = [row for part in chosen for row in ROWS.get(part, ())]
        acts = [act for part in chosen for act in ACTS.get(part, ())]
        try:
            await play_all(
                stage,
                chosen_rows(rows, self.options.depth, stage.capabilities),
                chosen_acts(acts, self.options.depth, stage.capabilities),
                self.progress.step,
                meanwhile,
            )
        finally:
            self.notes += [told_of(stage)] if RFC6455 in chosen else []
        await stage.close_sockets()

    async def beside(self, place: Place) -> None:
        """Play the acts that need a server with other settings: default limits, tokens that live for seconds."""
        acts = [act for part in ACTS if part in self.options.only for act in ACTS[part]]
        able = (await self.open(MAIN)).capabilities
        chosen = chosen_acts(acts, self.options.depth, able, place)
        if not chosen:
            return
        if not self.options.local and place != "limits":
            return
        self.progress.part(f"{place} server" if self.options.local else place)
        stage = await self._stage(place, with_people=False)
        await play_all(stage, (), chosen, self.progress.step)
        await stage.close_sockets()
        await self.close(place)

    async def scenarios(self) -> None:
        """Run the scenarios over real sockets."""
        from harness.run import run_scenario
        from scenarios.catalog import SCENARIOS

        self.progress.part("scenario over sockets")
        target = await self.open("scenario")
        for scenario in SCENARIOS:
            if not set(scenario.grants) <= target.capabilities.grants:
                target.recorder.record("note", why=f"scenario {scenario.name} needs {', '.join(scenario.grants)}")
                continue
            self.progress.step(scenario.name)
            await run_scenario(target, scenario, people(self.seed, scenario.people, run=self.run_name))
        await target.close_tabs()
        await self.close("scenario")

    async def process_faults(self) -> None:
        """Kill the server under writes, then end it in order; on a local target only."""
        if not self.options.local:
            return
        self.progress.part("process faults")
        stage = await self._stage("process")
        target = await self.open("process")
        assert isinstance(target, LocalTarget)
        kills = process_cases.KILLS[self.options.depth]
        await process_cases.kill_under_writes(stage, target, kills, self.progress.step)
        await process_cases.end_in_order(stage, target)
        await stage.close_sockets()
        await self.close("process")

    async def _stage(self, group: str, *, with_people: bool = True) -> Stage:
        target = await self.open(group)
        stage = Stage(target, seed=self.seed, run=self.run_name, prefix="" if group == MAIN else f"{group}-")
        if with_people:
            try:
                await stage.set_up()
            except SignInError as fault:
                raise TargetDownError(f"{fault}{self._advice()}") from fault
        return stage

    def _advice(self) -> str:
        told = "; a socket that asks for no token needs nobody: give a profile with auth = 'none'"
        return told if self.options.only == (RFC6455,) else ""


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the exception that a group of groups began with: jobs that run beside each other raise such."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first
