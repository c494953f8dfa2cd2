"""Finds out what the checks say of the base commit, beside the turn's first steps."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import calls, opening
from workflows.contract.checks import Baseline, PrepareBaseline
from workflows.contract.names import HOSTS_QUEUE
from workflows.contract.sandbox import CloseSandbox, SandboxBinding
from workflows.policy import verdict as rules
from workflows.record import SessionRecord

ATTEMPTS = 2
"""Times that the base commit is checked when a check could not be run on it."""


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
    handle = record.preparing
    if handle is None:
        assert record.state.baseline is not None
        return record.state.baseline
    try:
        found = await calls.patiently(handle, lambda: record.interrupted)
    except ActivityError as error:
        record.preparing = None
        workflow.logger.warning("baseline.failed", extra={"failure": opening.failure_name(error)})
        # Not kept: the next judgement tries again.
        commit = record.state.base_commit
        assert commit is not None
        return Baseline(session=record.session, commit=commit, cached=False, seconds=0.0)
    record.preparing = None
    return _keep(record, found)


def known(record: SessionRecord) -> Baseline | None:
    """Return it if it is known by now, without waiting."""
    handle = record.preparing
    if handle is None or not handle.done() or handle.cancelled() or handle.exception():
        return record.state.baseline
    record.preparing = None
    return _keep(record, handle.result())


def _keep(record: SessionRecord, found: Baseline) -> Baseline:
    """Keep it, unless a check could not be run and another attempt may tell more."""
    plan, times = record.state.plan, record.state.baselines + 1
    assert plan is not None
    is_good = rules.is_complete(found, plan) or times >= ATTEMPTS
    record.update(baseline=found if is_good else None, baselines=times)
    return found


async def settle(record: SessionRecord) -> None:
    """Wait until nothing is being found out any more.

    Raises:
        InterruptedCallError: a person stopped the turn.
    """
    if record.preparing is not None:
        await ready(record)


def is_open(record: SessionRecord) -> bool:
    """Tell whether it is being found out."""
    return record.preparing is not None and not record.preparing.done()


async def abandon(record: SessionRecord) -> None:
    """Stop finding it out, and leave no sandbox of it."""
    state = record.state
    is_sought = state.plan is not None and bool(state.plan.checks)
    if state.baseline is not None or state.sandbox_id is None or not is_sought:
        return
    handle, record.preparing = record.preparing, None
    if handle is not None and not handle.done():
        handle.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
        handle.cancel()
    # Also when an earlier run began it: nobody else would remove what that left.
    queue = state.binding.queue if state.binding is not None else HOSTS_QUEUE
    binding = SandboxBinding(sandbox_id=_sandbox_id(record), queue=queue, workspace="")
    await calls.close_sandbox(CloseSandbox(session=record.session, binding=binding))


def _sandbox_id(record: SessionRecord) -> str:
    # Not the run's: the next run attaches to what this one began.
    return f"{record.state.sandbox_id}-base"
