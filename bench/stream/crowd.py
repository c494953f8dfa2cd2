"""Two hundred clients of one session; a few that read beside fifty that do not."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import chain

from bench.stack import Arena
from bench.stream import meters
from bench.stream.clients import Reader, stalled
from bench.stream.meters import Meter
from bench.stream.program import BUSY, MODEST, Printing
from bench.stream.sessions import door, following, printing
from bench.tables import Table, median, ms, percentile

MANY, FEW, STALLED = 200, 5, 50
MEGA = 1_000_000

NOTES = f"""\
One session. Its command prints {MODEST.rate // MEGA} MB/s for {MODEST.seconds:.0f} s to {MANY}
clients and {BUSY.rate // MEGA} MB/s for {BUSY.seconds:.0f} s to {FEW}, in lines of
{MODEST.size // 1_000} and {BUSY.size // 1_000} kB. Those who stall have subscribed and then read
nothing, with a receive buffer of 64 KiB. Memory is the peak of the gateway's resident set over what
it was before the first client came; processor time is in percent of one core."""


async def measure(arena: Arena) -> Table:
    """Measure the many, the few, and the few among the stalled."""
    rows = [
        await _row(arena, MODEST, MANY, 0),
        await _row(arena, BUSY, FEW, 0),
        await _row(arena, BUSY, FEW, STALLED),
    ]
    header = (
        *("who reads", "exact", "lag p50 ms", "lag p95 ms", "lag max ms"),
        *("gateway + MiB", "gateway %", "clients %"),
    )
    return Table("Crowds", header, rows, NOTES)


async def _row(arena: Arena, what: Printing, reading: int, stalling: int) -> tuple[str, ...]:
    async with printing(arena, what) as (watched,), AsyncExitStack() as stack:
        meter = Meter(arena.record().processes, ("gateway", meters.CLIENTS))
        await stack.enter_async_context(stalled(door(arena), watched.id, stalling))
        async with following(arena, [watched], reading) as readers:
            watched.let_go()
        shares = (meter.processor("gateway"), meter.processor(meters.CLIENTS))
        name = f"all {reading}" if not stalling else f"beside {stalling} who stall: {reading}"
        exact = f"{_exact(readers, what)} of {reading}"
        return (name, exact, *_lags(readers), meter.growth("gateway"), *shares)


def _exact(readers: Sequence[Reader], what: Printing) -> int:
    return sum(reader.is_exact and reader.log.content == what.content for reader in readers)


def _lags(readers: Sequence[Reader]) -> tuple[str, str, str]:
    lags = list(chain(*(reader.lags for reader in readers)))
    return ms(median(lags)), ms(percentile(lags, 0.95)), ms(max(lags))
