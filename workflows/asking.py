"""Asks a person and waits for the answer, for days if need be: no timer, no polling."""

from collections.abc import Callable

from temporalio import workflow

from workflows.calls import InterruptedCallError
from workflows.contract.asking import Asked, DecideSignal
from workflows.contract.session import Phase
from workflows.record import SessionRecord


async def ask(
    record: SessionRecord, asked: Asked, moot: Callable[[], bool] = lambda: False
) -> DecideSignal | None:
    """Show the question and wait for the decision that names it; none when it became moot.

    Raises:
        InterruptedCallError: a person stopped the turn instead.
    """
    phase, began = record.phase, workflow.now().timestamp()
    record.decision = None
    record.update(asked=asked)
    record.show(Phase.ASKING, asked.text)
    await workflow.wait_condition(
        lambda: record.decision is not None or record.interrupted or moot()
    )
    waited = workflow.now().timestamp() - began
    record.update(asked=None)
    record.update_turn(waited_seconds=record.turn.waited_seconds + waited)
    if record.interrupted:
        raise InterruptedCallError
    decision, record.decision = record.decision, None
    record.show(phase, "going on")
    return decision
