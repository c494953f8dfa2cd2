"""Tells Temporal that an activity is alive while it waits for something else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

BEAT_SECONDS = 2.0
"""A fifth of the heartbeat timeout, so that a starved processor does not cost an attempt."""


def is_leaving() -> bool:
    """Tell whether this worker is shutting down, so that another attempt goes on elsewhere."""
    return activity.in_activity() and activity.is_worker_shutdown()


@asynccontextmanager
async def beating(interval_seconds: float = BEAT_SECONDS) -> AsyncIterator[None]:
    """Heartbeat on a timer until the block ends; does nothing outside an activity.

    A cancellation reaches the block as usual, because beats carry it to this worker. The block's
    own exceptions pass unchanged.
    """
    if not activity.in_activity():
        yield
        return
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def beat() -> None:
        nonlocal timer
        activity.heartbeat()
        timer = loop.call_later(interval_seconds, beat)

    # Not a task: a TaskGroup would wrap the block's ApplicationError in an ExceptionGroup, and
    # Temporal would lose its type and retry what is permanent. Not at once: the timeout counts
    # from the start anyway, and most activities are over before the first beat is due.
    timer = loop.call_later(interval_seconds, beat)
    try:
        yield
    finally:
        timer.cancel()
