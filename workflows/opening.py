"""Opens the session's sandbox: first, after it was lost, and after the session was closed."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.exceptions import ActivityError, ApplicationError

from workflows import calls
from workflows.contract.base import CommitSha
from workflows.contract.checks import DetectChecks
from workflows.contract.failures import Failure
from workflows.contract.sandbox import Opened, OpenSandbox, SandboxBinding, SandboxReady
from workflows.contract.session import Phase
from workflows.contract.transcript import FromWorkflow
from workflows.record import SessionRecord

Result = TypeVar("Result")

RESTARTED = (
    "The sandbox was restarted. All files of the workspace survived; every process is gone, and a "
    "command that was running may have partly run. /tmp is empty."
)


async def ensure_open(record: SessionRecord) -> None:
    """Open the sandbox unless the session has one, and learn the repository's checks."""
    if record.state.binding is not None:
        return
    record.show(Phase.PREPARING, "opening the sandbox")
    await _open(record, None)
    if record.state.plan is None:
        plan = await calls.detect_checks(
            DetectChecks(
                session=record.session,
                repository=record.options.repository,
                commit=_base(record),
            ),
            record.binding,
        )
        record.update(plan=plan)


async def reopen(record: SessionRecord) -> None:
    """Bring a sandbox back whose processes are gone, and tell the model what survived."""
    ready = await _open(record, record.binding)
    if ready.how is Opened.RESTARTED:
        record.tell(FromWorkflow(text=RESTARTED))


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


async def _open(record: SessionRecord, binding: SandboxBinding | None) -> SandboxReady:
    generation = 0 if binding is None else binding.generation + 1
    sandbox_id = f"{record.session}-r{record.run_index}" if binding is None else binding.sandbox_id
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


def _base(record: SessionRecord) -> CommitSha:
    assert record.state.base_commit is not None
    return record.state.base_commit
