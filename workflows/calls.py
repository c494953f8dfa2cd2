"""Every call of a port, with its queue, timeouts, heartbeat and retries.

Retries here mean "a worker was lost" or "it may pass": what no retry mends is raised by the
activity as not retryable. Each method of a port documents why running it twice is harmless.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityHandle

from workflows.contract.checks import (
    Baseline,
    CheckPlan,
    CheckResult,
    DetectChecks,
    FilesFixed,
    FixFiles,
    PrepareBaseline,
    QuickCheck,
    QuickResult,
    RunCheck,
)
from workflows.contract.judging import Examination, Examine, Judgement, JudgeWork
from workflows.contract.model import (
    CompactTranscript,
    ModelCall,
    ModelStep,
    TranscriptCompacted,
)
from workflows.contract.names import HOSTS_QUEUE, MODELS_QUEUE
from workflows.contract.pull_request import Propose, PullRequest
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandResult,
    ExportWork,
    FileResult,
    OpenSandbox,
    RunCommand,
    SandboxBinding,
    SandboxClosed,
    SandboxReady,
    StopCommand,
    UseFile,
    WorkBundle,
)
from workflows.contract.session import ArchiveRun, RunArchived
from workflows.ports import Archive, Checks, Model, PullRequests, Sandbox

Request = TypeVar("Request")
Result = TypeVar("Result")

HEARTBEAT = timedelta(seconds=10)
"""Shorter ones gave needless second attempts when the processor was starved (measured)."""

KEEPING = timedelta(minutes=15)
"""For the rest of a command's output after its end: 4 GiB into the store at 5 MB/s.

What did not fit is no loss: the next attempt goes on where the store ends, with the whole time.
"""

KEEPING_ALL = timedelta(hours=3)
"""For a pass over a whole log, which every attempt begins anew.

The longest takes 2.4 h: 4 GiB of output in frames of one byte, 500,000 a second (measured).
"""

OPENING = timedelta(hours=2)
"""For a sandbox with its environment set up."""

# An activity that no worker knows would otherwise be retried in silence for ever.
_UNKNOWN_ACTIVITY = ["NotFoundError"]
UNTIL_DONE = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=_UNKNOWN_ACTIVITY,
)
A_FEW_TIMES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=6,
    non_retryable_error_types=_UNKNOWN_ACTIVITY,
)
PROVIDER_WITH_FALLBACK = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=3,
    non_retryable_error_types=_UNKNOWN_ACTIVITY,
)
PROVIDER = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    maximum_interval=timedelta(seconds=60),
    maximum_attempts=10,
    non_retryable_error_types=_UNKNOWN_ACTIVITY,
)


class InterruptedCallError(Exception):
    """A person interrupted what was waited for; it was asked to cancel and not waited for."""


async def interruptible(handle: ActivityHandle[Result], interrupted: Callable[[], bool]) -> Result:
    """Wait for an activity, or give it up as soon as the session is interrupted.

    Raises:
        InterruptedCallError: the interrupt came first.
    """
    await workflow.wait_condition(lambda: handle.done() or interrupted())
    if handle.done():
        return await handle
    # Nobody waits for it any more, and asyncio complains of errors that nobody looked at.
    handle.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
    handle.cancel()
    raise InterruptedCallError


async def patiently(handle: ActivityHandle[Result], interrupted: Callable[[], bool]) -> Result:
    """Wait for an activity that goes on whether the session is interrupted or not.

    Raises:
        InterruptedCallError: the interrupt came first.
    """
    await workflow.wait_condition(lambda: handle.done() or interrupted())
    if not handle.done():
        raise InterruptedCallError
    return await handle


def step(request: ModelCall, *, has_fallback: bool = False) -> ActivityHandle[ModelStep]:
    """Start one step of the model; with another model to fall back on, it is tried less often."""
    return _start(
        Model.step,
        request,
        queue=MODELS_QUEUE,
        timeout=timedelta(minutes=20),
        retry=PROVIDER_WITH_FALLBACK if has_fallback else PROVIDER,
        summary=f"turn {request.turn} step {request.step}",
    )


def open_sandbox(
    request: OpenSandbox, binding: SandboxBinding | None
) -> ActivityHandle[SandboxReady]:
    """Start making the sandbox ready, on the host that has it if any."""
    return _start(
        Sandbox.open,
        request,
        queue=HOSTS_QUEUE if binding is None else binding.queue,
        timeout=OPENING,
        retry=A_FEW_TIMES,
    )


def run_command(request: RunCommand) -> ActivityHandle[CommandResult]:
    """Start a command, or attach to it."""
    return _start(
        Sandbox.run_command,
        request,
        queue=request.binding.queue,
        timeout=timedelta(seconds=request.timeout_seconds) + KEEPING,
        retry=UNTIL_DONE,
        summary=_one_line(request.call.summary if request.call else request.shell or ""),
    )


async def stop_command(request: StopCommand) -> CommandResult:
    """End a command; waits for the host to return if it is down."""
    return await _start(
        Sandbox.stop_command,
        request,
        queue=request.binding.queue,
        timeout=KEEPING_ALL,
        retry=UNTIL_DONE,
    )


async def use_file(request: UseFile) -> FileResult:
    """View, edit or write a file; not interruptible, because it takes milliseconds."""
    return await _start(
        Sandbox.use_file,
        request,
        queue=request.binding.queue,
        timeout=timedelta(minutes=2),
        retry=UNTIL_DONE,
        summary=_one_line(f"{request.call.name} {request.call.summary}"),
    )


async def export_work(request: ExportWork) -> WorkBundle:
    """Take the work out of the sandbox."""
    return await _start(
        Sandbox.export_work,
        request,
        queue=request.binding.queue,
        timeout=timedelta(minutes=15),
        retry=UNTIL_DONE,
    )


async def close_sandbox(request: CloseSandbox) -> SandboxClosed:
    """Remove the sandbox; waits for the host to return if it is down."""
    return await _start(
        Sandbox.close,
        request,
        queue=request.binding.queue,
        timeout=timedelta(minutes=10),
        retry=UNTIL_DONE,
    )


async def detect_checks(request: DetectChecks, binding: SandboxBinding) -> CheckPlan:
    """Read the repository's checks."""
    return await _start(
        Checks.detect,
        request,
        queue=binding.queue,
        timeout=timedelta(minutes=2),
        retry=A_FEW_TIMES,
    )


def run_check(request: RunCheck) -> ActivityHandle[CheckResult]:
    """Start a check, or attach to it."""
    return _start(
        Checks.run,
        request,
        queue=request.binding.queue,
        timeout=timedelta(seconds=request.check.timeout_seconds) + KEEPING,
        retry=UNTIL_DONE,
        summary=_one_line(request.check.command),
    )


def baseline(request: PrepareBaseline, binding: SandboxBinding) -> ActivityHandle[Baseline]:
    """Start to find out what the checks say of the base commit."""
    longest = sum(check.timeout_seconds for check in request.plan.checks)
    return _start(
        Checks.baseline,
        request,
        queue=binding.queue,
        timeout=timedelta(seconds=longest) + KEEPING + OPENING,
        retry=A_FEW_TIMES,
        summary="the checks on the base commit",
    )


async def quick_check(request: QuickCheck) -> QuickResult:
    """Look at edited files; not interruptible, because it takes seconds at most."""
    return await _start(
        Checks.quick,
        request,
        queue=request.binding.queue,
        timeout=timedelta(minutes=2),
        retry=A_FEW_TIMES,
    )


def fix_files(request: FixFiles) -> ActivityHandle[FilesFixed]:
    """Start to let fixers change files."""
    return _start(
        Checks.fix,
        request,
        queue=request.binding.queue,
        timeout=timedelta(minutes=10),
        retry=A_FEW_TIMES,
    )


def examine(request: Examine, binding: SandboxBinding) -> ActivityHandle[Examination]:
    """Start to look at what the work changes of that which judges it."""
    return _start(
        Checks.examine,
        request,
        queue=binding.queue,
        timeout=timedelta(minutes=10),
        retry=A_FEW_TIMES,
    )


def judge(request: JudgeWork, binding: SandboxBinding) -> ActivityHandle[Judgement]:
    """Start to compare what the checks said with what they say of the base."""
    return _start(
        Checks.judge,
        request,
        queue=binding.queue,
        timeout=timedelta(minutes=10),
        retry=A_FEW_TIMES,
    )


def compact(request: CompactTranscript) -> ActivityHandle[TranscriptCompacted]:
    """Start to sum up the transcript."""
    return _start(
        Model.compact,
        request,
        queue=MODELS_QUEUE,
        timeout=timedelta(minutes=20),
        retry=PROVIDER,
        summary=f"turn {request.turn}: summing up",
    )


async def propose(request: Propose, binding: SandboxBinding) -> PullRequest:
    """Push and record the proposal."""
    return await _start(
        PullRequests.propose,
        request,
        queue=binding.queue,
        timeout=timedelta(minutes=15),
        retry=A_FEW_TIMES,
    )


async def archive_run(request: ArchiveRun) -> RunArchived:
    """Keep a run's history in the store."""
    return await _start(
        Archive.run,
        request,
        queue=None,
        timeout=timedelta(minutes=5),
        retry=UNTIL_DONE,
    )


def _start(
    method: Callable[[Any, Request], Awaitable[Result]],
    request: Request,
    *,
    queue: str | None,
    timeout: timedelta,
    retry: RetryPolicy,
    summary: str | None = None,
) -> ActivityHandle[Result]:
    """Start an activity; whoever gives it up does not wait for its end."""
    return workflow.start_activity_method(
        method,
        request,
        task_queue=queue,
        start_to_close_timeout=timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=retry,
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
        summary=summary,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:150]
