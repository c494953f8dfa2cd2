"""The measurements of output and events, one after the other on one stack."""

import asyncio

from bench.stack import Arena
from bench.stream import crowd, latency, pages, storm, throughput
from bench.tables import Table

PARTS = (latency, throughput, crowd, storm, pages)


def measure(arena: Arena) -> list[Table]:
    """Take all of them."""
    return asyncio.run(_measure(arena))


async def _measure(arena: Arena) -> list[Table]:
    return [await part.measure(arena) for part in PARTS]
