"""Signs of life of an activity that waits."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.progress import beating
from workflows.contract.base import CommandId
from workflows.contract.output import LiveOutput

LIVE = LiveOutput(command_id=CommandId("c"), start=7, end=10)
WINDOW = b"\xff\x00\n"


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


async def test_what_was_shown_is_repeated() -> None:
    """Nothing is shown before there is something; then every beat brings the newest."""
    seen: list[tuple[object, ...]] = []
    again = asyncio.Event()

    def note(*details: object) -> None:
        seen.append(details)
        if len(seen) >= 6:
            again.set()

    @activity.defn
    async def shows() -> None:
        async with beating(0.01) as beats:
            beats.beat()
            beats.show(LIVE, b"old")
            beats.show(LIVE, WINDOW)
            await again.wait()

    environment = ActivityEnvironment()
    environment.on_heartbeat = note
    await environment.run(shows)
    assert seen == [(), (LIVE, b"old"), *[(LIVE, WINDOW)] * (len(seen) - 2)]


async def test_nobody_hears_beats_outside_an_activity() -> None:
    """What an adapter does is the same without Temporal."""
    async with beating() as beats:
        beats.show(LIVE, WINDOW)


@workflow.defn(name="Waiting")
class Waiting:
    """Waits for one activity."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            "shows",
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=10),
        )


async def test_the_server_keeps_what_was_shown(client: Client, unique: str) -> None:
    """The header as JSON, the window as it is; signs of life do not erase them."""
    shown, looked = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def shows() -> None:
        async with beating(0.01) as beats:
            beats.show(LIVE, WINDOW)
            shown.set()
            await looked.wait()

    async def look() -> list[object]:
        description = await client.get_workflow_handle(unique).describe()
        (pending,) = description.raw_description.pending_activities
        details = pending.heartbeat_details.payloads
        hints: list[type] = [LiveOutput, bytes]
        return await client.data_converter.decode(details, hints) if details else []

    worker = Worker(
        client,
        task_queue=unique,
        workflows=[Waiting],
        activities=[shows],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_heartbeat_throttle_interval=timedelta(milliseconds=10),
    )
    async with worker:
        handle = await client.start_workflow("Waiting", id=unique, task_queue=unique)
        await shown.wait()
        while not (first := await look()):
            pass
        found = [first, *[await look() for _ in range(10)]]
        looked.set()
        await handle.result()
    assert found == [[LIVE, WINDOW]] * 11
