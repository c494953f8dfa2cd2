"""Tells Temporal that an activity is alive while it works, and what there is to see of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from workflows.contract.output import LiveOutput, LiveText

BEAT_SECONDS = 2.0
"""A fifth of the heartbeat timeout, so that a starved processor does not cost an attempt."""


def is_leaving() -> bool:
    """Tell whether this worker is shutting down, so that another attempt goes on elsewhere."""
    return activity.in_activity() and activity.is_worker_shutdown()


def attempt() -> int:
    """Return which attempt of its activity this is, from 1."""
    return activity.info().attempt if activity.in_activity() else 1


class Beats:
    """The heartbeats of one activity; does nothing outside an activity."""

    def __init__(self) -> None:
        self._details: tuple[LiveOutput | LiveText, bytes] | tuple[()] = ()

    def show(self, live: LiveOutput | LiveText, window: bytes) -> None:
        """Heartbeat at once, and from now on, with this header and the bytes it speaks of.

        Whoever calls it paces it: the server keeps the newest and takes one per 50 ms.
        """
        self._details = (live, window)
        self.beat()

    def beat(self) -> None:
        """Heartbeat with what was shown last: without details the server would forget it."""
        if activity.in_activity():
            activity.heartbeat(*self._details)


@asynccontextmanager
async def beating(interval_seconds: float = BEAT_SECONDS) -> AsyncIterator[Beats]:
    """Heartbeat on a timer until the block ends.

    A cancellation reaches the block as usual, because beats carry it to this worker. The block's
    own exceptions pass unchanged.
    """
    beats = Beats()
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def beat() -> None:
        nonlocal timer
        beats.beat()
        timer = loop.call_later(interval_seconds, beat)

    # Not a task: a TaskGroup would wrap the block's ApplicationError in an ExceptionGroup, and
    # Temporal would lose its type and retry what is permanent. Not at once: the timeout counts
    # from the start anyway, and most activities are over before the first beat is due.
    timer = loop.call_later(interval_seconds, beat)
    try:
        yield beats
    finally:
        timer.cancel()
