"""How old a printed line is when a client has it, and what that costs others."""

import asyncio
import time
from itertools import chain, pairwise
from typing import NamedTuple

from bench.stack import Arena
from bench.stream import program
from bench.stream.meters import Meter
from bench.stream.program import LINES, MEANWHILE, MEANWHILE_STEPS
from bench.stream.sessions import PATIENCE_SECONDS, following, printing
from bench.tables import Table, median, ms, percentile

STREAMS = (1, 8, 32)
PROCESSES = ("temporal", "gateway", "host")
POLL_SECONDS = 0.05

NOTES = f"""\
So many sessions at once, each with one client and a command that prints {LINES.rate // LINES.size}
lines of {LINES.size} bytes a second for {LINES.seconds:.0f} s, one by one. The lag of a line is
from the time that the command wrote into it until the client had it. Meanwhile another session
takes {MEANWHILE_STEPS} steps of one `true`, with nobody watching. Processor time is that of the
whole period, in percent of one core; the first row is the other session alone."""


class Taken(NamedTuple):
    """One row."""

    streams: int
    lags: list[float]
    step: float
    processor: tuple[str, ...]

    def row(self) -> tuple[str, ...]:
        """Write it for the table."""
        middle, late, last = ("", "", "")
        if self.lags:
            middle, late = ms(median(self.lags)), ms(percentile(self.lags, 0.95))
            last = ms(max(self.lags))
        return (str(self.streams), middle, late, last, ms(self.step), *self.processor)


async def measure(arena: Arena) -> Table:
    """Measure with ever more streams."""
    taken = [await _alone(arena), *[await _beside(arena, streams) for streams in STREAMS]]
    header = (
        *("streams", "lag p50 ms", "lag p95 ms", "lag max ms", "step p50 ms"),
        *(f"{name} %" for name in PROCESSES),
    )
    return Table("Latency of output", header, [each.row() for each in taken], NOTES)


async def _alone(arena: Arena) -> Taken:
    meter = Meter(arena.record().processes, PROCESSES)
    _, step = await asyncio.gather(
        asyncio.sleep(LINES.seconds), asyncio.to_thread(_median_step, arena)
    )
    return Taken(0, [], step, _processor(meter))


async def _beside(arena: Arena, streams: int) -> Taken:
    async with printing(arena, LINES, streams) as watched:
        async with following(arena, watched) as readers:
            meter = Meter(arena.record().processes, PROCESSES)
            for each in watched:
                each.let_go()
            step = await asyncio.to_thread(_median_step, arena)
        used = _processor(meter)
    wrong = [reader for reader in readers if not reader.is_exact]
    if wrong:
        message = f"{len(wrong)} of {streams} clients did not get all lines"
        raise RuntimeError(message)
    return Taken(streams, list(chain(*(reader.lags for reader in readers))), step, used)


def _processor(meter: Meter) -> tuple[str, ...]:
    return tuple(meter.processor(name) for name in PROCESSES)


def _median_step(arena: Arena) -> float:
    """Run the other session; look at the model's journal, so that nobody has to be asked."""
    before = arena.model.count()
    api = arena.api()
    session = api.create(arena.repository, MEANWHILE).id
    deadline = time.monotonic() + PATIENCE_SECONDS
    arrivals: list[float] = []
    while len(arrivals) <= MEANWHILE_STEPS and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        found = arena.model.since(before)
        arrivals = [asked.at for asked in found if asked.marker == program.MEANWHILE]
    arena.api().close(session)
    return median([later - at for at, later in pairwise(arrivals)])
