"""Signs of life of an activity that waits."""

import asyncio

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.progress import beating


async def test_a_waiting_activity_beats() -> None:
    """Again and again, on a timer, until its block ends."""
    beats = 0
    thrice = asyncio.Event()

    def count(*_details: object) -> None:
        nonlocal beats
        beats += 1
        if beats >= 3:
            thrice.set()

    @activity.defn
    async def waits() -> int:
        async with beating(0.01):
            await thrice.wait()
        return beats

    environment = ActivityEnvironment()
    environment.on_heartbeat = count
    ended_at = await environment.run(waits)
    await asyncio.sleep(0)
    assert beats == ended_at >= 3


async def test_an_error_passes_unchanged() -> None:
    """Its type decides whether Temporal repeats the activity."""

    @activity.defn
    async def fails() -> None:
        async with beating():
            message = "no"
            raise ApplicationError(message, type="kind")

    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(fails)
    assert caught.value.type == "kind"
