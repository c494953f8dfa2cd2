"""One worker process of the floor: `python -m bench.floor_worker ADDRESS QUEUE`.

The settings are those of the product's workers.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.worker import HEARTBEAT_INTERVAL, STICKY_TIMEOUT, WORKFLOW_RUNNER
from bench.floor_workflow import DECISIONS, FIRST, Floor, first, second
from runtime import temporal
from runtime.settings import Settings


async def serve(address: str, queue: str) -> None:
    """Serve one queue until killed."""
    client = await temporal.connect_patiently(Settings(temporal_address=address))
    async with _worker(client, queue):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def _worker(client: Client, queue: str) -> Worker:
    if queue == DECISIONS:
        return Worker(
            client,
            task_queue=queue,
            workflows=[Floor],
            workflow_runner=WORKFLOW_RUNNER,
            sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        )
    empty: Callable[..., Any] = first if queue == FIRST else second
    return Worker(
        client,
        task_queue=queue,
        activities=[empty],
        max_heartbeat_throttle_interval=HEARTBEAT_INTERVAL,
    )


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
