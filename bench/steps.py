"""How long a step takes: Overnight, mini-swe-agent and the floor, turn by turn in the same run."""

import asyncio
import uuid
from collections import defaultdict
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

from temporalio.client import Client

from bench import history, programs, scripted
from bench.floor_workflow import DECISIONS, FIRST, SECOND, Floor
from bench.stack import Arena
from bench.tables import Table, median, ms, percentile
from runtime import temporal

ROUNDS = 3
WINDOWS = {1: range(1, 11), 20: range(16, 26), 100: range(96, 106)}
"""Steps of history, and the steps that are taken for it."""

OURS, MINI, MINI_SAVING, FLOOR = (
    "Overnight",
    "mini-swe-agent",
    "mini-swe-agent, saving its trajectory",
    "floor: two empty activities",
)

Steps = dict[int, list[float]]
"""Seconds of steps by the steps of history before them."""

NOTES = f"""\
A step is one request to the scripted model and one `true`. For the agents it is the time between
the arrivals of two consecutive requests at the model, from the model's own journal: one clock for
all, nothing left out, the model's own time (1 to 2 ms) included. For the floor it is the time
between two schedulings of the first activity, from the history. {ROUNDS} rounds, in which all take
turns; ten steps around each length of history from each."""


def measure(arena: Arena) -> list[Table]:
    """Run every contestant in turn, some rounds long."""
    return [_table(asyncio.run(_measure(arena)))]


async def _measure(arena: Arena) -> dict[str, Steps]:
    taken: dict[str, Steps] = {name: defaultdict(list) for name in (OURS, MINI, MINI_SAVING, FLOOR)}
    client = await temporal.connect(arena.temporal())
    address = arena.record().temporal_address
    with ExitStack() as workers:
        for queue in (DECISIONS, FIRST, SECOND):
            workers.enter_context(programs.serving("bench.floor_worker", address, queue))
        for number in range(ROUNDS):
            _take(taken[OURS], overnight(arena))
            _take(taken[MINI], _mini(arena, number, saving=False))
            _take(taken[FLOOR], await _floor(client))
            _take(taken[MINI_SAVING], _mini(arena, number, saving=True))
    return taken


def _take(into: Steps, seconds: list[float]) -> None:
    for length, window in WINDOWS.items():
        into[length] += [seconds[index] for index in window]


def overnight(arena: Arena) -> list[float]:
    """Return the seconds of each step of a long session."""
    before = arena.model.count()
    api = arena.api()
    session = api.create(arena.repository, scripted.LONG)
    api.until_waiting(session.id, turns=1)
    api.close(session.id)
    return _between(arena, before)


def _mini(arena: Arena, number: int, *, saving: bool) -> list[float]:
    before = arena.model.count()
    folder = arena.base / f"mini-{number}-{saving}"
    folder.mkdir()
    trajectory = [str(folder / "trajectory.json")] if saving else []
    task = f"Follow the script {scripted.MINI}."
    programs.run("bench.mini", arena.model.url, task, str(folder), *trajectory)
    return _between(arena, before)


def _between(arena: Arena, before: int) -> list[float]:
    arrivals = [asked.at for asked in arena.model.since(before)]
    return [later - at for at, later in pairwise(arrivals)]


async def _floor(client: Client) -> list[float]:
    handle = await client.start_workflow(
        Floor.run,
        scripted.STEPS,
        id=f"bench-floor-{uuid.uuid4()}",
        task_queue=DECISIONS,
        execution_timeout=timedelta(minutes=5),
    )
    await handle.result()
    found = (await history.read(client, handle.id)).activities
    starts = [activity.scheduled for activity in found if activity.name == "bench.first"]
    return [later - at for at, later in pairwise(starts)]


def _table(taken: dict[str, Steps]) -> Table:
    rows = [
        _row(length, name, taken[name][length], taken[MINI][length], taken[FLOOR][length])
        for length in WINDOWS
        for name in taken
    ]
    header = ("history", "what", "p50 ms", "p95 ms", "over mini, ms", "÷ mini", "÷ floor")
    return Table("Step", header, rows, NOTES)


def _row(
    length: int, name: str, seconds: list[float], mini: list[float], floor: list[float]
) -> tuple[str, ...]:
    middle = median(seconds)
    return (
        str(length),
        name,
        ms(middle),
        ms(percentile(seconds, 0.95)),
        ms(middle - median(mini)),
        f"{middle / median(mini):.2f}",
        f"{middle / median(floor):.2f}",
    )
