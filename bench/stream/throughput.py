"""How much output gets through: to one client, to twenty at once, and to twenty that come late."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.stack import Arena
from bench.stream import meters
from bench.stream.clients import Reader
from bench.stream.meters import Meter
from bench.stream.program import FAST, GIBIBYTE
from bench.stream.sessions import PATIENCE_SECONDS, Watched, door, following, printing
from bench.tables import Table, ms
from runtime.store.opening import open_store
from workflows.contract.output import stream_key

CLIENTS = 20
MEGA = 1_000_000
GROWING = ("gateway", "host")
WORKING = (*GROWING, meters.CLIENTS)

NOTES = f"""\
The command's lines, of 250 kB, end with the sha256 of all of them; a client is exact when it has
that line, the lines before it have this sum, and the store and every other client have the same
bytes. First: nothing limits the command but who takes its output; from its first line to the
client's last byte. Second: it prints {FAST.rate // MEGA} MB/s for {FAST.seconds:.0f} s to clients
that follow it. Third: new clients of the same session, which is read from the store. MB/s are those
of all clients together. Processor time is in percent of one core; the clients are one process on
the same machine. Memory is the peak of the resident set over what it was."""


class Taken(NamedTuple):
    """One row."""

    what: str
    clients: int
    exact: int
    rate: float
    worst_lag: str
    used: tuple[str, ...]

    def row(self) -> tuple[str, ...]:
        """Write it for the table."""
        exact = f"{self.exact} of {self.clients}"
        return (self.what, exact, f"{self.rate / MEGA:.0f}", self.worst_lag, *self.used)


async def measure(arena: Arena) -> Table:
    """Measure one client, then many."""
    taken = [await _one(arena), *await _many(arena)]
    header = (
        *("what", "exact clients", "MB/s", "worst lag ms"),
        *(f"{name} %" for name in WORKING),
        *(f"{name} + MiB" for name in GROWING),
    )
    return Table("Throughput of output", header, [each.row() for each in taken], NOTES)


async def _one(arena: Arena) -> Taken:
    async with printing(arena, GIBIBYTE, shared=False) as (watched,):
        meter = Meter(arena.record().processes, WORKING)
        async with following(arena, [watched]) as readers:
            watched.let_go()
        seconds = time.time() - watched.log.printed[0] / 1e9
        used = _used(meter)
        exact = (
            _exact(readers, GIBIBYTE.content) if await _is_stored(arena, watched, readers) else 0
        )
    return Taken("as fast as it goes: 1 GiB to 1", 1, exact, GIBIBYTE.content / seconds, "", used)


async def _many(arena: Arena) -> list[Taken]:
    async with printing(arena, FAST) as (watched,):
        meter = Meter(arena.record().processes, WORKING)
        async with following(arena, [watched], CLIENTS) as readers:
            watched.let_go()
        seconds = time.time() - watched.log.printed[0] / 1e9
        live = Taken(
            f"at {FAST.rate // MEGA} MB/s: {FAST.content // MEGA} MB to {CLIENTS}",
            CLIENTS,
            _exact(readers, FAST.content),
            CLIENTS * FAST.content / seconds,
            ms(max(lag for reader in readers for lag in reader.lags)),
            _used(meter),
        )
        return [live, await _late(arena, watched)]


async def _late(arena: Arena, watched: Watched) -> Taken:
    meter = Meter(arena.record().processes, WORKING)
    readers = [Reader(door(arena), watched.id, watched.log) for _ in range(CLIENTS)]
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for reader in readers:
            group.create_task(reader.read(follow=False))
    return Taken(
        f"afterwards: {FAST.content // MEGA} MB to {CLIENTS}",
        CLIENTS,
        _exact(readers, FAST.content),
        CLIENTS * FAST.content / (time.monotonic() - started),
        "",
        _used(meter),
    )


async def _is_stored(arena: Arena, watched: Watched, readers: Sequence[Reader]) -> bool:
    (reader,) = readers
    if reader.command is None:
        return False
    store = open_store(arena.settings)
    return await store.stream_end_async(stream_key(watched.id, reader.command)) == watched.log.end


def _exact(readers: Sequence[Reader], content: int) -> int:
    return sum(reader.is_exact and reader.log.content == content for reader in readers)


def _used(meter: Meter) -> tuple[str, ...]:
    shares = tuple(meter.processor(name) for name in WORKING)
    return (*shares, *(meter.growth(name) for name in GROWING))
