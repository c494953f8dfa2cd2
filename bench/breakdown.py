"""Where a step's time goes, from what Temporal recorded of one long session."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import psutil

from bench import history, scripted
from bench.history import Activity, Decision, History
from bench.scripted import Asked
from bench.stack import Arena
from bench.tables import Table, median, ms, percentile
from runtime import temporal
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from workflows.contract.model import ModelStep
from workflows.contract.sandbox import CommandResult

EARLY, LATE = slice(1, 21), slice(88, 108)
"""Steps with a short and with a long history."""

OBJECTS = 100

DECISIONS_PER_STEP = 2
"""One after the model, one after the command."""

NOTES = """\
One session. Times are those of Temporal's history, except the request's arrival (the model's
journal), `litellm` (measured by the worker around it, the model's own time included) and the
command (measured in its sandbox). "Handed over" is from scheduling to the start at a worker. An
activity's time includes the report of its end to the server, which syncs it to disk. Medians do not
add up exactly."""

COSTS = """\
Processor time of each process over the same session, opening and delivery included, divided by its
steps. An object of the store is synced, with its folder, before anybody hears of it."""


class Step(NamedTuple):
    """All that happened from one model call's scheduling to the next one's."""

    model: Activity
    command: Activity
    decisions: list[Decision]
    arrived: float
    whole: float

    def parts(self) -> dict[str, float]:
        """Return where the time went, in seconds, in order."""
        asked = ModelStep.model_validate_json(self.model.result).seconds
        ran = CommandResult.model_validate_json(self.command.result).seconds
        model, command = self.model, self.command
        first, second = self.decisions
        return {
            "model call handed over": model.started - model.scheduled,
            "model activity": model.closed - model.started,
            "… until its request arrives": self.arrived - model.started,
            "… from there to its end": model.closed - self.arrived,
            "… of both: in litellm": asked,
            "… of both: transcript, journal, report": model.closed - model.started - asked,
            "first decision handed over": first.started - first.scheduled,
            "first decision": first.completed - first.started,
            "command handed over": command.started - command.scheduled,
            "command activity": command.closed - command.started,
            "… of it: in the command": ran,
            "second decision handed over": second.started - second.scheduled,
            "second decision": second.completed - second.started,
            "whole step": self.whole,
        }


def measure(arena: Arena) -> list[Table]:
    """Run one long session and take it apart."""
    return asyncio.run(_measure(arena))


async def _measure(arena: Arena) -> list[Table]:
    processes = arena.record().processes
    requests, before = arena.model.count(), _processor_seconds(processes)
    api = arena.api()
    session = api.create(arena.repository, scripted.LONG)
    api.until_waiting(session.id, turns=1)
    used = {name: seconds - before[name] for name, seconds in _processor_seconds(processes).items()}
    client = await temporal.connect(arena.temporal())
    found = await history.read(client, session.id)
    steps = _steps(found, arena.model.since(requests))
    return [_times([step.parts() for step in steps]), _costs(arena, found, used)]


def _steps(found: History, asked: Sequence[Asked]) -> list[Step]:
    models = [activity for activity in found.activities if activity.name == "model.step"]
    commands = [each for each in found.activities if each.name == "sandbox.run_command"]
    steps = []
    for (model, later), command, request in zip(pairwise(models), commands, asked, strict=False):
        decisions = [
            each for each in found.decisions if model.closed <= each.scheduled < later.scheduled
        ]
        if len(decisions) == DECISIONS_PER_STEP:
            whole = later.scheduled - model.scheduled
            steps.append(Step(model, command, decisions, request.at, whole))
    return steps


def _times(parts: Sequence[Mapping[str, float]]) -> Table:
    rows: list[tuple[str, ...]] = []
    for name in parts[0]:
        seconds = [each[name] for each in parts]
        p95 = percentile(seconds, 0.95)
        rows.append((name, ms(median(seconds[EARLY])), ms(median(seconds[LATE])), ms(p95)))
    header = ("part", "steps 1 to 20, p50 ms", "steps 88 to 107, p50 ms", "all, p95 ms")
    return Table("Where a step's time goes", header, rows, NOTES)


def _costs(arena: Arena, found: History, used: Mapping[str, float]) -> Table:
    store = arena.settings.store_path
    objects = sum(1 for path in store.rglob("*") if path.is_file())
    rows = [(f"processor: {name}, ms", ms(used[name] / scripted.STEPS)) for name in sorted(used)]
    rows += [
        ("activities", f"{len(found.activities) / scripted.STEPS:.2f}"),
        ("events in the history", f"{found.events / scripted.STEPS:.1f}"),
        ("objects made in the store", f"{objects / scripted.STEPS:.1f}"),
        ("making one such object, p50 ms", ms(_object_seconds(FolderStore(store)))),
    ]
    return Table("What a step costs", ("per step", ""), rows, COSTS)


def _processor_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    times = {name: psutil.Process(pid).cpu_times() for name, pid in processes.items()}
    return {name: each.user + each.system for name, each in times.items()}


def _object_seconds(store: Store) -> float:
    seconds = []
    for _ in range(OBJECTS):
        started = time.perf_counter()
        store.create(f"bench/{secrets.token_hex(16)}", secrets.token_bytes(400))
        seconds.append(time.perf_counter() - started)
    return median(seconds)
