"""Copies a command's log from its box into the store, and keeps what people and models see of it.

Everything here blocks and runs in threads; `live` decides when.
"""

import os
import time
from collections import deque
from pathlib import Path

from activities.failures import temporary
from activities.sandbox.output import OutputSummary
from runtime import telemetry
from runtime.store.base import Store, StreamGapError
from workflows.contract import metrics
from workflows.contract.output import FRAME_HEADER, FRAME_LIMIT_BYTES, WINDOW_LIMIT_BYTES

CHUNK_BYTES = 4 * 1024 * 1024
"""Most bytes of one append; holds many whole frames."""

FULL_BYTES = CHUNK_BYTES - FRAME_HEADER.size - FRAME_LIMIT_BYTES
"""Whoever took more than this may find more at once; whoever took less has all there is."""

WINDOW_SECONDS = 0.5
"""A reader that looks twice in this time misses nothing of a calm stream."""


class Window:
    """The newest frames of a log: those of the last 0.5 s, at most 32 KiB."""

    def __init__(self) -> None:
        self.end = 0
        """Offset of the byte behind the window."""

        self._pieces: deque[tuple[float, bytes]] = deque()
        self._size = 0

    def add(self, length: int, tail: bytes, now: float) -> None:
        """Take in what follows, at a monotonic time in seconds: its length and its last frames."""
        if len(tail) < length:
            self._pieces.clear()
            self._size = 0
        self._pieces.append((now, tail))
        self._size += len(tail)
        self.end += length
        while self._size > WINDOW_LIMIT_BYTES:
            self._drop()

    def cut(self, now: float) -> bytes:
        """Return what the window shows at that time."""
        while self._pieces and self._pieces[0][0] < now - WINDOW_SECONDS:
            self._drop()
        return b"".join(piece for _, piece in self._pieces)

    def _drop(self) -> None:
        self._size -= len(self._pieces.popleft()[1])


class LogCopy:
    """One attempt's pass over one command's log, from its beginning, in constant memory.

    The summary sees all of the log; the store gets what it does not have yet. Only whole frames
    are taken, so that the stream parses wherever the box died: a frame that was torn by the death
    of its writer stays out. The store may end within a frame nevertheless, when another attempt
    was killed within an append, found the disk full, or is at it still: the window begins behind
    that frame, which is completed first. For good the end is there only when a loss of power took
    from the log what the store has already; then the end is what the store has.
    """

    def __init__(self, log: Path, store: Store, stream: str) -> None:
        self.stream = stream
        self.summary = OutputSummary()
        self.window = Window()
        """Ends where the stream does, as far as that is known."""

        self.taken = 0
        """How far the pass has come, in bytes of the log: all of them are in the store, and a frame
        ends there. The window does too as soon as it shows anything.
        """

        self._log = log
        self._store = store
        self._is_end_known = False

    def begin(self, *, is_new: bool) -> None:
        """Say whether the command was only just started: the store is not asked then."""
        self._is_end_known = is_new

    def take(self, limit: int) -> int:
        """Go on by at most 4 MiB and not beyond `limit`; returns by how many bytes.

        What was taken is durable then. At most `FULL_BYTES` when nothing more is there yet, 0 for
        want of a log.

        Raises:
            ApplicationError: `temporary`, when log or store fail; another attempt makes a new copy.
        """
        try:
            if not self._is_end_known:
                self._find_end()
            data = self._read(self.taken, min(CHUNK_BYTES, limit - self.taken))
            # What the window ends with is durable. What another writer may have added since is not
            # relied on, but sent again.
            known = max(0, self.window.end - self.taken)
            whole, tail = self.summary.feed(data, known)
            self._keep(data[known:whole], data[tail:whole])
        except (OSError, StreamGapError) as error:
            message = f"the command's output cannot be kept, it runs on: {error}"
            raise temporary(message) from error
        self.taken += whole
        return whole

    def _find_end(self) -> None:
        end = self._store.stream_end(self.stream)
        last = self._read(end - 1, 1) if end else b""
        if last:
            # Whoever wrote this byte may have died before it was synced. Once more, and it is.
            self._store.append(self.stream, end - 1, last)
        self.window.end = end
        self._is_end_known = True

    def _keep(self, new: bytes, tail: bytes) -> None:
        if new:
            self._store.append(self.stream, self.window.end, new)
            telemetry.count(metrics.OUTPUT_BYTES, len(new))
            self.window.add(len(new), tail, time.monotonic())

    def _read(self, offset: int, size: int) -> bytes:
        # Opened each time: a cancelled attempt leaves its thread behind, and a descriptor closed
        # under it could be another file's by then.
        try:
            descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)
