"""Shows a command's output while it runs: first into the store, then into the heartbeat."""

import asyncio
import time

from activities.progress import Beats
from activities.sandbox.copying import FULL_BYTES, LogCopy
from activities.sandbox.output import OutputSummary
from activities.sandbox.pace import Pace
from workflows.contract.base import CommandId
from workflows.contract.output import LiveOutput

ANY_LENGTH = 2**62
"""No log is that long: to be told of its end alone, or to have all of it."""

STUCK_SECONDS = 1.0
"""Pause when the log lacks what its box says it holds, as in a box whose folder was removed."""


class LiveLog:
    """One command's log as one attempt of an activity follows it."""

    def __init__(self, command_id: CommandId, copy: LogCopy, beats: Beats, pace: Pace) -> None:
        self._command_id = command_id
        self._copy = copy
        self._beats = beats
        self._pace = pace
        self._shown = 0
        self._due = 0.0

    @property
    def taken(self) -> int:
        """Bytes of the log that were copied or found in the store."""
        return self._copy.taken

    @property
    def summary(self) -> OutputSummary:
        """What the model is shown of the bytes taken."""
        return self._copy.summary

    @property
    def output_end(self) -> int:
        """Length of the log in the store."""
        return self._copy.window.end

    def begin(self, *, is_new: bool) -> None:
        """Say whether the command was only just started, so that the store has nothing of it."""
        self._copy.begin(is_new=is_new)

    async def advance(self, size: int) -> float:
        """Copy the log up to `size`, and show its end unless it was shown only just now.

        Returns the seconds to wait before the next call, which shows what could not be shown by
        this one; 0 when everything was, and the next byte may be shown at once.

        Raises:
            ApplicationError: `temporary`, when the store fails.
        """
        await self._copy_up_to(size)
        rest = self._show()
        return rest if self.taken >= size else max(rest, STUCK_SECONDS)

    async def finish(self) -> None:
        """Copy what is left of a log that does not grow any more; the result will tell its end.

        Raises:
            ApplicationError: `temporary`, when the store fails.
        """
        await self._copy_up_to(ANY_LENGTH)

    async def _copy_up_to(self, size: int) -> None:
        # Appends of a backlog follow each other without a pause, however the store likes it: they
        # are as large as can be.
        while self.taken < size and await asyncio.to_thread(self._copy.take, size) > FULL_BYTES:
            self._show()

    def _show(self) -> float:
        now = time.monotonic()
        # Not the window's end: before the pass is there, nobody knows whether a frame ends there.
        end = self.taken
        if now >= self._due and end > self._shown:
            data = self._copy.window.cut(now)
            live = LiveOutput(command_id=self._command_id, start=end - len(data), end=end)
            self._beats.show(live, data)
            self._shown = end
            self._due = now + self._pace.interval(self._copy.stream, now)
        return max(0.0, self._due - now)
