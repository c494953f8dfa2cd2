"""What a `ChaosProxy` does to the bytes that go one way."""

import asyncio
import contextlib
import random
import socket
from dataclasses import dataclass, field

CHUNK_BYTES = 32 * 1024
QUEUED_CHUNKS = 16
"""A pump holds at most so many chunks; then it reads no more, and the sender feels it."""

POLL_SECONDS = 0.005
SLICES_PER_SECOND = 50


class CutError(ConnectionError):
    """The connection has carried as many bytes as it may."""


@dataclass
class Direction:
    """Faults and counts of one direction, over all connections; set at any time by any thread."""

    dice: random.Random
    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    """The latency varies by so much up and down; the order of bytes stays."""

    bytes_per_second: float | None = None
    """At most so fast, each connection; the sender is pushed back."""

    cut_between: tuple[int, int] | None = None
    """Cut each connection after a random number of bytes, at least the first and at most the
    second number, counted from its start or from when this was set; equal numbers are exact."""

    held: bool = False
    """Forward nothing, neither bytes nor ends; what was sent arrives when this ends."""

    bytes: int = field(default=0, init=False)
    """Forwarded so far."""

    @classmethod
    def seeded(cls, seed: str) -> "Direction":
        """Make a harmless one whose dice follow from `seed`."""
        return cls(random.Random(seed))  # repeatable, and no secret

    def delay_seconds(self) -> float:
        """Draw how long the next bytes take."""
        jitter = self.dice.uniform(-self.jitter_seconds, self.jitter_seconds)
        return max(0.0, self.latency_seconds + jitter)


class Pump:
    """Carries one direction of one connection; holds at most `QUEUED_CHUNKS` chunks."""

    def __init__(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        self._source = source
        self._target = target
        self._direction = direction
        self._line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED_CHUNKS)
        self._drawn_for: tuple[int, int] | None = None
        self._left = 0
        self._ending: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Carry bytes until the sender ends, then pass the end on.

        Raises:
            CutError: a cut is due.
            OSError: one of the two sockets broke.
        """
        async with asyncio.TaskGroup() as group:
            taking = group.create_task(self._take())
            self._ending = group.create_task(self._give())
            await asyncio.wait((self._ending,))
            taking.cancel()
        with contextlib.suppress(OSError):
            self._target.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Tell the receiver that there is no more, and read no more from the sender."""
        if self._ending is not None:
            self._ending.cancel()

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        due, data = 0.0, b"-"
        while data:
            data = await loop.sock_recv(self._source, CHUNK_BYTES)
            due = max(due, loop.time() + self._direction.delay_seconds())
            await self._line.put((due, data))

    async def _give(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await self._line.get()
            await asyncio.sleep(due - loop.time())
            while self._direction.held:  # noqa: ASYNC110  # set by another thread
                await asyncio.sleep(POLL_SECONDS)
            if not data:
                return
            await self._send(memoryview(data))

    async def _send(self, data: memoryview) -> None:
        while data:
            rate = self._direction.bytes_per_second
            size = len(data) if rate is None else max(1, int(rate / SLICES_PER_SECOND))
            piece = data[:size]
            await self._send_uncut(piece)
            data = data[size:]
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)

    async def _send_uncut(self, piece: memoryview) -> None:
        loop = asyncio.get_running_loop()
        between = self._direction.cut_between
        if between is not self._drawn_for and between is not None:
            self._left = self._direction.dice.randint(*between)
        self._drawn_for = between
        whole = between is None or len(piece) < self._left
        sent = piece if whole else piece[: self._left]
        await loop.sock_sendall(self._target, sent)
        self._direction.bytes += len(sent)
        self._left -= len(sent)
        if not whole:
            raise CutError
