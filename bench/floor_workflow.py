"""The least a step can cost with Temporal: a workflow that calls two empty activities in turn."""

from datetime import timedelta

from temporalio import activity, workflow

DECISIONS, FIRST, SECOND = "bench-decisions", "bench-first", "bench-second"
"""Task queues, each served by a process of its own."""

PATIENCE = timedelta(minutes=1)


@activity.defn(name="bench.first")
async def first() -> None:
    """Do nothing."""


@activity.defn(name="bench.second")
async def second() -> None:
    """Do nothing."""


@workflow.defn(name="BenchFloor")
class Floor:
    """Steps of two empty activities."""

    @workflow.run
    async def run(self, steps: int) -> None:
        """Take the steps, one after the other."""
        for _ in range(steps):
            await workflow.execute_activity(
                first, task_queue=FIRST, start_to_close_timeout=PATIENCE
            )
            await workflow.execute_activity(
                second, task_queue=SECOND, start_to_close_timeout=PATIENCE
            )
