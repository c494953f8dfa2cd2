"""Shows a reply while it is written; nothing of it is kept."""

import asyncio
import time

from activities import progress
from activities.model import tools
from activities.progress import Beats
from workflows.contract.model import ModelCall
from workflows.contract.output import WINDOW_LIMIT_BYTES, LiveText

SHOW_SECONDS = 0.1
"""A reply is shown at most this often, and at least so if it grows."""

_CONTINUATION = 0b10


class LiveReply:
    """The text of one reply as it comes in: the heartbeat shows its last 32 KiB."""

    def __init__(self, request: ModelCall, beats: Beats) -> None:
        self._turn, self._step = request.turn, request.step
        self._beats = beats
        self._open = ""
        """The last character, while the next piece decides what it is."""

        self._window = bytearray()
        self._start = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Show nothing any more: the reply itself comes next, or another attempt."""
        if self._timer is not None:
            self._timer.cancel()

    def add(self, text: str) -> None:
        """Take in what was said next; it is shown, made harmless for terminals, within 0.1 s.

        However a reply is cut, the pieces shown say what the result will.
        """
        said = self._open + text
        end = tools.settled(said)
        self._open = said[end:]
        if not end:
            return
        self._window += tools.harmless(said[:end]).encode()
        self._cut()
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._due - time.monotonic()), self._show)

    def _cut(self) -> None:
        surplus = max(0, len(self._window) - WINDOW_LIMIT_BYTES)
        while (
            surplus and surplus < len(self._window) and self._window[surplus] >> 6 == _CONTINUATION
        ):
            surplus += 1
        del self._window[:surplus]
        self._start += surplus

    def _show(self) -> None:
        self._timer = None
        self._due = time.monotonic() + SHOW_SECONDS
        live = LiveText(
            turn=self._turn, step=self._step, epoch=progress.attempt(), start=self._start
        )
        self._beats.show(live, bytes(self._window))
