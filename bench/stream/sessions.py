"""Sessions whose command waits to be let go, and clients that follow them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.stack import Arena
from bench.stream import program
from bench.stream.clients import Door, Reader
from bench.stream.log import Log
from bench.stream.program import MARKERS, Printing
from runtime.settings import gateway_token
from workflows.contract.base import SessionId

PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.01


class Watched:
    """A session with a command that prints, and what its clients got of it."""

    def __init__(self, session: SessionId, home: Path, *, shared: bool) -> None:
        self.id = session
        self.log = Log(shared=shared)
        self._home = home

    @property
    def is_ready(self) -> bool:
        """Its command runs and waits."""
        return (self._home / program.READY).exists()

    def let_go(self) -> None:
        """Let the command print."""
        (self._home / program.GO).touch()


def door(arena: Arena) -> Door:
    """Return the way to the gateway."""
    return Door(arena.record().gateway_url, gateway_token(arena.settings))


@asynccontextmanager
async def printing(
    arena: Arena, what: Printing, count: int = 1, *, shared: bool = True
) -> AsyncIterator[list[Watched]]:
    """Start sessions; the block begins when their commands wait. Close them in the end."""
    sessions = await asyncio.to_thread(_create, arena, MARKERS[what], count)
    boxes = arena.settings.sandboxes_path / "boxes"
    made = [Watched(each, boxes / f"{each}-r0" / "home", shared=shared) for each in sessions]
    try:
        await until(lambda: all(each.is_ready for each in made), "the commands run")
        yield made
    finally:
        await asyncio.to_thread(_close, arena, sessions)


@asynccontextmanager
async def following(
    arena: Arena, watched: Sequence[Watched], each: int = 1
) -> AsyncIterator[list[Reader]]:
    """Let `each` clients follow each session; the block begins when they have all there is.

    It ends when all of them have been sent the whole output.
    """
    way = door(arena)
    readers = [Reader(way, one.id, one.log) for one in watched for _ in range(each)]
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for reader in readers:
            group.create_task(reader.read())
        await until(lambda: all(reader.caught_up.is_set() for reader in readers), "they follow")
        yield readers


async def until(holds: Callable[[], object], what: str) -> None:
    """Return once a condition holds.

    Raises:
        TimeoutError: it did not within `PATIENCE_SECONDS`.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not holds():
        if asyncio.get_running_loop().time() > deadline:
            message = f"waited {PATIENCE_SECONDS:.0f} s in vain: {what}"
            raise TimeoutError(message)
        await asyncio.sleep(POLL_SECONDS)


def _create(arena: Arena, marker: str, count: int) -> list[SessionId]:
    api = arena.api()
    return [api.create(arena.repository, marker).id for _ in range(count)]


def _close(arena: Arena, sessions: Sequence[SessionId]) -> None:
    api = arena.api()
    for session in sessions:
        api.close(session)
    for session in sessions:
        api.until_closed(session)
