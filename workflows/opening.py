"""Opens the session's sandbox: first, after it was lost, and after the session was closed."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.exceptions import ActivityError, ApplicationError

from workflows import calls
from workflows.contract.base import CommandId, CommitSha
from workflows.contract.checks import DetectChecks
from workflows.contract.failures import Failure
from workflows.contract.names import HOSTS_QUEUE
from workflows.contract.sandbox import (
    CloseSandbox,
    ExportWork,
    Opened,
    OpenSandbox,
    SandboxBinding,
    SandboxReady,
    WorkBundle,
)
from workflows.contract.session import Phase
from workflows.record import SessionRecord

Result = TypeVar("Result")

RESTARTED = (
    "The sandbox was restarted. All files of the workspace survived; every process is gone, and a "
    "command that was running may have partly run. /tmp is empty."
)

MADE_ANEW = (
    "The sandbox was lost with its files and made anew. The workspace is as it was when the work "
    "was last taken out of it, or at the base commit if it never was: look before you go on."
)


class WorkLostError(Exception):
    """The sandbox was made anew from older files; the model must look before it goes on."""


class LostTooOftenError(Exception):
    """Sandboxes are lost again and again; the turn fails, the session stays."""


async def ensure_open(record: SessionRecord) -> None:
    """Open the sandbox unless the session has one, and learn the repository's checks once."""
    if record.state.binding is None:
        record.show(Phase.PREPARING, "opening the sandbox")
        await _open(record, None)
        if record.state.lost_work:  # what the last run left could not be kept
            record.note(MADE_ANEW)
    if record.state.plan is None:
        plan = await calls.detect_checks(
            DetectChecks(
                session=record.session,
                repository=record.options.repository,
                commit=base(record),
            ),
            record.binding,
        )
        record.update(plan=plan)


async def remove(record: SessionRecord) -> None:
    """Remove the sandbox, also one whose opening was given up before it was known where."""
    state = record.state
    if state.sandbox_id is None:
        return
    somewhere = SandboxBinding(sandbox_id=state.sandbox_id, queue=HOSTS_QUEUE, workspace="")
    binding = state.binding or somewhere
    await calls.close_sandbox(CloseSandbox(session=record.session, binding=binding))
    record.update(binding=None, sandbox_id=None)


async def reopen(record: SessionRecord) -> None:
    """Bring a sandbox back whose processes are gone, and tell the model what survived."""
    ready = await _open(record, record.binding)
    if ready.how is Opened.RESTARTED:
        record.note(RESTARTED)
    elif ready.how is Opened.CREATED:
        record.update(lost_work=True)
        record.note(MADE_ANEW)


async def in_sandbox(record: SessionRecord, call: Callable[[], Awaitable[Result]]) -> Result:
    """Make a call into the sandbox; when the sandbox is gone, bring it back and call once more."""
    try:
        return await call()
    except ActivityError as error:
        if failure_type(error) != Failure.SANDBOX_GONE:
            raise
    await reopen(record)
    return await call()


def failure_type(error: ActivityError) -> str | None:
    """Return the kind of failure an activity raised, if it named one."""
    return error.cause.type if isinstance(error.cause, ApplicationError) else None


def failure_name(error: ActivityError) -> str:
    """Return what a log may hold of a failure: its text may repeat a provider's words."""
    return failure_type(error) or type(error.cause).__name__


def failure_text(error: ActivityError) -> str:
    """Return what a failed activity says, for people and the model."""
    cause = error.cause or error
    return (getattr(cause, "message", "") or str(cause))[:1_500]


def base(record: SessionRecord) -> CommitSha:
    """Return the commit the session starts from; asking before it is known is a defect."""
    assert record.state.base_commit is not None
    return record.state.base_commit


async def export(record: SessionRecord, name: str, *, salvage: bool = False) -> WorkBundle:
    """Take the work out and remember it as the session's checkpoint.

    To salvage means to leave out what cannot be carried, rather than fail.

    Raises:
        WorkLostError: what came out is not what the model thinks it is.
    """
    work = await in_sandbox(
        record,
        lambda: calls.export_work(
            ExportWork(
                session=record.session,
                turn=record.state.turns,
                binding=record.binding,
                base=base(record),
                # A command that was lost with its sandbox stays lost: ask the new one anew.
                command_id=CommandId(f"{name}-g{record.binding.generation}"),
                salvage=salvage,
            )
        ),
    )
    record.update(checkpoint=work)
    if record.state.lost_work:
        raise WorkLostError
    return work


async def _open(record: SessionRecord, binding: SandboxBinding | None) -> SandboxReady:
    generation = 0 if binding is None else binding.generation + 1
    sandbox_id = record.state.sandbox_id or f"{record.session}-r{record.run_index}"
    record.update(sandbox_id=sandbox_id)
    request = OpenSandbox(
        session=record.session,
        sandbox_id=sandbox_id,
        repository=record.options.repository,
        branch=record.options.branch,
        base_commit=record.state.base_commit,
        restore=record.state.checkpoint,
        generation=generation,
    )
    handle = calls.open_sandbox(request, binding)
    ready = await calls.interruptible(handle, lambda: record.interrupted)
    record.update(binding=ready.binding, base_commit=ready.base_commit)
    return ready
