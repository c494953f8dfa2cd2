"""One running command: its log, its limits, and how it is brought to its end."""

import fcntl
import math
import os
import selectors
import signal
import time
from contextlib import suppress
from functools import partial

from activities.sandbox.inside import linux, records, warden, wire

CHUNK_BYTES = 64 * 1024
SYNC_EVERY_BYTES = 16 * 1024 * 1024
"""The log is synced this often, so that the sync at the end never holds the supervisor for long."""

KILL_INTERVAL_S = 0.02
"""Pause between two looks for survivors of a kill."""

WARDEN_PATIENCE_S = 5.0
"""A warden that lives this long after its tree was killed (stopped by it, say) is killed too.

With it goes what it would have said of the command's end, so a starved one is given time.
"""


class Log:
    """The framed output of one command: appended only, at most `limit` bytes of output."""

    def __init__(self, folder: int, limit: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open("log", flags, 0o600, dir_fd=folder)
        self._room = limit
        self._unsynced = 0
        self.size = 0
        self.kept: dict[int, int] = {}

    def append(self, stream: int, chunk: bytes) -> bool:
        """Keep what there is room for; False when something had to be left out.

        Raises `OSError` when the disk does not take it; the log then ends before this frame.
        """
        kept = chunk[: self._room]
        if kept:
            self._write(wire.FRAME.pack(stream, time.time_ns(), len(kept)), kept)
            self.kept[stream] = self.kept.get(stream, 0) + len(kept)
            self._room -= len(kept)
        return len(kept) == len(chunk)

    def _write(self, header: bytes, kept: bytes) -> None:
        length = len(header) + len(kept)
        try:
            written = os.writev(self._descriptor, [header, kept])
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        if written < length:
            os.ftruncate(self._descriptor, self.size)
            message = "the disk is full"
            raise OSError(message)
        self.size += length
        self._unsynced += length
        if self._unsynced >= SYNC_EVERY_BYTES:
            self.sync()

    def sync(self) -> None:
        """Return when what was appended survives power loss."""
        os.fdatasync(self._descriptor)
        self._unsynced = 0

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class Command:
    """A command between its start and the record of its end."""

    def __init__(self, folder: int, log: Log, started: warden.Warden, timeout_s: float) -> None:
        self.folder = folder
        self.log = log
        self.warden = started.pid
        self._status_pipe = started.status
        self._pipes = {started.stdout: wire.STDOUT, started.stderr: wire.STDERR}
        self._status: int | None = None
        self._started_ns = time.time_ns()
        self._ended_ns = 0
        self._reason: str | None = None
        self._timeout_at = time.monotonic() + timeout_s
        self._kill_at: float | None = None
        self._terminate_at: float | None = None
        self._warden_at = 0.0
        self._warden_gone = False
        self.orphans_possible = False
        self.record_at = 0.0

    @property
    def is_over(self) -> bool:
        """Nothing of the command lives any more."""
        return self._warden_gone and not self.orphans_possible

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Have the loop call this command when it says something."""
        for pipe in self._pipes:
            selector.register(pipe, selectors.EVENT_READ, partial(self._pump, selector, pipe))

    def _pump(self, selector: selectors.BaseSelector, pipe: int) -> None:
        # A command can read from its own pipe through /proc and leave nothing here.
        with suppress(BlockingIOError):
            if not self._read(pipe):
                self._drop(selector, pipe)

    def _drop(self, selector: selectors.BaseSelector, pipe: int) -> None:
        selector.unregister(pipe)
        del self._pipes[pipe]
        os.close(pipe)

    def _read(self, pipe: int) -> bytes:
        chunk = os.read(pipe, CHUNK_BYTES)
        try:
            complete = self.log.append(self._pipes[pipe], chunk)
        except OSError:
            self.kill("killed")
        else:
            if not complete:
                self.kill("output_limit")
        return chunk

    def kill(self, reason: str) -> None:
        """Kill the whole tree at once; the first reason given is the one that is recorded."""
        self._reason = self._reason or reason
        self._begin_kill(time.monotonic())

    def stop(self, grace_s: float) -> None:
        """Ask the processes to end, and kill them after the grace; a repeat does nothing."""
        if self._kill_at is not None or self._warden_gone:
            return
        self._reason = self._reason or "stopped"
        now = time.monotonic()
        self._begin_kill(now + grace_s)
        self._terminate(now)

    def _terminate(self, now: float) -> None:
        # A command just started may not lead its own group yet: ask again until one was asked.
        self._terminate_at = now + KILL_INTERVAL_S
        for pid in linux.living_children().get(self.warden, []):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGTERM)
                self._terminate_at = None

    def _begin_kill(self, at: float) -> None:
        if self._kill_at is None or at < self._kill_at:
            self._kill_at = at
            self._warden_at = at + WARDEN_PATIENCE_S

    def mark_warden_gone(self, *, clean: bool) -> None:
        """Take note of the warden's end; unless it was clean, processes may be left."""
        self._warden_gone = True
        self.orphans_possible = not clean
        self._ended_ns = time.time_ns()
        with suppress(BlockingIOError):
            content = os.read(self._status_pipe, warden.STATUS.size)
            if len(content) == warden.STATUS.size:
                (self._status,) = warden.STATUS.unpack(content)

    def tick(self, now: float) -> None:
        """Enforce the time limit and go on with a kill."""
        if self._warden_gone:
            return
        if now >= self._timeout_at:
            self._timeout_at = math.inf
            self.kill("timeout")
        if self._terminate_at is not None and now >= self._terminate_at:
            self._terminate(now)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = now + KILL_INTERVAL_S
            self._kill_tree(now)

    def _kill_tree(self, now: float) -> None:
        linux.kill_all(linux.descendants(linux.living_children(), self.warden))
        # The command may have stopped its warden; both have the same user.
        os.kill(self.warden, signal.SIGKILL if now >= self._warden_at else signal.SIGCONT)

    def due(self) -> float | None:
        """Return when `tick` has work, in monotonic seconds."""
        if self._warden_gone:
            return time.monotonic() + KILL_INTERVAL_S if self.orphans_possible else self.record_at
        times = (self._timeout_at, self._kill_at, self._terminate_at)
        return min(at for at in times if at is not None)

    def finish(self, selector: selectors.BaseSelector) -> wire.Reply:
        """Take in the last output and describe the end; may be called again after an `OSError`."""
        for pipe in list(self._pipes):
            self._drain(pipe)
            self._drop(selector, pipe)
        self.log.sync()
        unexplained = "killed" if self._status is None else "exited"
        return records.ended(
            self._reason or unexplained,
            self._status,
            self.log.kept,
            (self._started_ns, self._ended_ns),
        )

    def _drain(self, pipe: int) -> None:
        # No more than the pipe holds: its other end may have been handed to another command.
        room = fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
        with suppress(BlockingIOError):
            while room > 0 and (chunk := self._read(pipe)):
                room -= len(chunk)

    def close(self) -> None:
        """Give back what the command held."""
        self.log.close()
        os.close(self._status_pipe)
        os.close(self.folder)
