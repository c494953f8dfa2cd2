"""The gateway is killed while two hundred clients follow a session: when are they right again."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Sequence

from bench.stack import Arena
from bench.stream.clients import Door, Reader
from bench.stream.program import ENDLESS
from bench.stream.sessions import POLL_SECONDS, door, printing, until
from bench.tables import Table, median, ms

CLIENTS = 200

NOTES = f"""\
{CLIENTS} clients follow one session, whose command prints {ENDLESS.rate // ENDLESS.size} lines a
second; then the gateway gets SIGKILL and the supervisor starts another. All clients connect in the
moment in which it listens, each with the place that it had reached. One is right again when it has
a line that was printed after that moment, and every byte before it, compared with what the others
have; this includes up to {1_000 * ENDLESS.size // ENDLESS.rate} ms until that line is printed."""


async def measure(arena: Arena) -> Table:
    """Kill it once."""
    async with printing(arena, ENDLESS) as (watched,):
        way = door(arena)
        readers = [Reader(way, watched.id, watched.log) for _ in range(CLIENTS)]
        may_connect = asyncio.Event()
        may_connect.set()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.read_stubbornly(may_connect)) for each in readers]
            await until(lambda: all(reader.caught_up.is_set() for reader in readers), "they follow")
            watched.let_go()
            await until(lambda: all(reader.newest_printed for reader in readers), "lines come")
            may_connect.clear()
            killed = time.time()
            os.kill(arena.record().processes["gateway"], signal.SIGKILL)
            listening = await _listening(way)
            may_connect.set()
            right = await _right_again(readers, listening)
            for task in tasks:
                task.cancel()
    rows = [
        ("from the kill until it listens", ms(listening - killed)),
        (f"from there until half of the {CLIENTS} are right", ms(median(right) - listening)),
        (f"from there until all {CLIENTS} are right", ms(max(right) - listening)),
        (f"from the kill until all {CLIENTS} are right", ms(max(right) - killed)),
    ]
    return Table("The gateway is killed", ("what", "ms"), rows, NOTES)


async def _listening(way: Door) -> float:
    """Return when the new gateway listens."""

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", way.port)) == 0

    await until(lambda: not listens(), "the gateway is gone")
    await until(listens, "the gateway is back")
    return time.time()


async def _right_again(readers: Sequence[Reader], since: float) -> list[float]:
    """Return when each client had a line that was printed later than `since`."""
    right: dict[int, float] = {}

    def all_are_right() -> bool:
        now = time.time()
        for number, reader in enumerate(readers):
            if number not in right and reader.newest_printed > since * 1e9:
                right[number] = now
        return len(right) == len(readers)

    await until(all_are_right, f"all are right again, looked at every {POLL_SECONDS} s")
    return list(right.values())
