"""Signs of life of an activity that waits for its test."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from temporalio import activity

BEAT_SECONDS = 1.0
"""Temporal gives an activity to another attempt after 10 s without one."""

_Awaited = TypeVar("_Awaited")


async def beating(awaited: Awaitable[_Awaited], *details: object) -> _Awaited:
    """Await inside an activity, which shows its last details as long as that takes."""
    async with asyncio.TaskGroup() as tasks:
        beats = tasks.create_task(_beat(*details))
        found = await awaited
        beats.cancel()
    return found


async def _beat(*details: object) -> None:
    while True:
        activity.heartbeat(*details)
        await asyncio.sleep(BEAT_SECONDS)  # the pulse itself
