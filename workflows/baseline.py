"""Finds out what the checks say of the base commit, beside the turn's first steps."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import calls
from workflows.contract.checks import Baseline, PrepareBaseline
from workflows.contract.names import HOSTS_QUEUE
from workflows.contract.sandbox import CloseSandbox, SandboxBinding
from workflows.record import SessionRecord


def begin(record: SessionRecord) -> None:
    """Start to find it out, unless it is known or there is nothing to compare with."""
    state = record.state
    if state.baseline is not None or record.preparing is not None:
        return
    if state.plan is None or not state.plan.checks or state.base_commit is None:
        return
    record.preparing = calls.baseline(
        PrepareBaseline(
            session=record.session,
            sandbox_id=_sandbox_id(record),
            repository=record.options.repository,
            commit=state.base_commit,
            branch=record.options.branch,
            plan=state.plan,
        ),
        record.binding,
    )


async def ready(record: SessionRecord) -> Baseline:
    """Wait until it is known; an empty one when it cannot be found out.

    Raises:
        InterruptedCallError: a person stopped the turn; it is still being found out.
    """
    begin(record)
    if record.state.baseline is not None:
        return record.state.baseline
    assert record.preparing is not None
    handle = record.preparing
    try:
        found = await calls.patiently(handle, lambda: record.interrupted)
    except ActivityError as error:
        record.preparing = None
        workflow.logger.warning("baseline.failed", extra={"failure": str(error.cause)[:500]})
        # Not kept: the next judgement tries again.
        commit = record.state.base_commit
        assert commit is not None
        return Baseline(session=record.session, commit=commit, cached=False, seconds=0.0)
    record.preparing = None
    record.update(baseline=found)
    return found


async def abandon(record: SessionRecord) -> None:
    """Stop finding it out, and leave no sandbox of it."""
    handle, record.preparing = record.preparing, None
    if handle is None or handle.done():
        return
    handle.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
    handle.cancel()
    queue = record.state.binding.queue if record.state.binding is not None else HOSTS_QUEUE
    binding = SandboxBinding(sandbox_id=_sandbox_id(record), queue=queue, workspace="")
    await calls.close_sandbox(CloseSandbox(session=record.session, binding=binding))


def _sandbox_id(record: SessionRecord) -> str:
    # Not the run's: the next run attaches to what this one began.
    return f"{record.state.sandbox_id}-base"
