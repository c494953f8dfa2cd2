"""What may happen in a session, as people and programs see it.

The gateway makes these from Temporal's history (`gateway/feed/projection.py`); nothing else
records them. Each says by itself whose it is, so any page of them can be shown alone.
"""

from datetime import datetime
from typing import Annotated, Literal, NewType

from pydantic import Field

from workflows.contract.base import CommandId, CommitSha, EffectId, Frozen, PromptId
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import FindingCounts, TestCounts
from workflows.contract.model import Usage
from workflows.contract.pull_request import PullRequest
from workflows.contract.sandbox import CommandOutcome, Opened, Repository
from workflows.contract.session import Budget, PromptMode, SessionView
from workflows.contract.transcript import RefusedCall, ToolName

Cursor = NewType("Cursor", str)
"""Names an event's place in its session: `<run index>.<event id>.<n>`, each of fixed width.

Cursors of one session sort as text, with gaps.
"""


class Opening(Frozen):
    """A session was started, or a closed one was opened again."""

    kind: Literal["session.started", "session.reopened"]
    repository: Repository
    branch: str
    model: str
    title: str
    budget: Budget


class PromptArrived(Frozen):
    """A prompt reached the session; one id may arrive twice and is worked on once."""

    kind: Literal["prompt.arrived"] = "prompt.arrived"
    prompt_id: PromptId
    mode: PromptMode
    size: int
    """Length of the whole text in bytes."""

    excerpt: str
    """Its beginning, at most 200 characters."""


class PromptRevised(Frozen):
    """A waiting prompt was replaced by another one, in its place."""

    kind: Literal["prompt.revised"] = "prompt.revised"
    prompt_id: PromptId
    replacement: PromptId
    excerpt: str


class PromptWithdrawn(Frozen):
    """A waiting prompt was taken back."""

    kind: Literal["prompt.withdrawn"] = "prompt.withdrawn"
    prompt_id: PromptId


class DecisionMade(Frozen):
    """A person answered a question; what was asked stands in the view before."""

    kind: Literal["decision.made"] = "decision.made"
    question: str
    approved: bool
    text: str


class PromptRefused(Frozen):
    """A prompt that had arrived was not taken: too much waited already."""

    kind: Literal["prompt.refused"] = "prompt.refused"
    prompt_id: PromptId
    reason: str
    excerpt: str
    """Its beginning, at most 200 characters."""


class DecisionRefused(Frozen):
    """An answer that a person had given did not count."""

    kind: Literal["decision.refused"] = "decision.refused"
    question: str
    approved: bool
    text: str
    reason: str


class Configured(Frozen):
    """A person changed the model or the budget."""

    kind: Literal["session.configured"] = "session.configured"
    model: str | None
    fallbacks: tuple[str, ...] | None
    budget: Budget | None


class StopRequested(Frozen):
    """A person asked to stop what runs, or to end the session."""

    kind: Literal["interrupt.requested", "close.requested"]
    reason: str


class ViewChanged(Frozen):
    """What the session shows of itself: phase, queue, what is being done, how turns ended."""

    kind: Literal["view.changed"] = "view.changed"
    view: SessionView


class StepAsked(Frozen):
    """The model was asked for its next reply."""

    kind: Literal["step.asked"] = "step.asked"
    turn: int
    step: int
    model: str


class SeenCall(Frozen):
    """A tool call as people see it."""

    name: ToolName
    summary: str


class StepTaken(Frozen):
    """The model replied."""

    kind: Literal["step.taken"] = "step.taken"
    turn: int
    step: int
    text: str
    calls: tuple[SeenCall, ...]
    refused: tuple[RefusedCall, ...]
    usage: Usage
    seconds: float


class CommandStarted(Frozen):
    """A command was handed to the sandbox; its output begins at 0."""

    kind: Literal["command.started"] = "command.started"
    turn: int
    step: int
    command_id: CommandId
    shell: str
    """Its beginning, at most 2,000 characters."""


class CommandFinished(Frozen):
    """A command ended, whether by itself, by a stop, or because its sandbox was lost."""

    kind: Literal["command.finished"] = "command.finished"
    turn: int
    step: int
    command_id: CommandId
    outcome: CommandOutcome
    exit_code: int | None
    seconds: float
    stdout_bytes: int
    stderr_bytes: int
    output_end: int
    """Length of its log in the store: all there is, and all there will be."""


class FileUsed(Frozen):
    """A file was viewed, edited or written, or could not be."""

    kind: Literal["file.used"] = "file.used"
    turn: int
    step: int
    effect_id: EffectId
    ok: bool
    excerpt: str


class SandboxOpening(Frozen):
    """A sandbox is being made ready or looked for."""

    kind: Literal["sandbox.opening"] = "sandbox.opening"
    generation: int


class SandboxOpened(Frozen):
    """A sandbox is ready; `how` tells whether its processes or its files are new."""

    kind: Literal["sandbox.opened"] = "sandbox.opened"
    generation: int
    how: Opened
    provider: str
    base_commit: CommitSha
    setup: Literal["none", "cached", "run"]
    seconds: float


class SandboxClosed(Frozen):
    """The sandbox was removed with its processes and files."""

    kind: Literal["sandbox.closed"] = "sandbox.closed"


class ChecksFound(Frozen):
    """The commands that will judge the work are known."""

    kind: Literal["checks.found"] = "checks.found"
    checks: tuple[CheckSpec, ...]
    source: str


class CheckStarted(Frozen):
    """A check runs; its output is that of the command of the same id."""

    kind: Literal["check.started"] = "check.started"
    turn: int
    name: str
    command_id: CommandId
    shell: str


class CheckFinished(Frozen):
    """A check ended."""

    kind: Literal["check.finished"] = "check.finished"
    turn: int
    name: str
    command_id: CommandId
    passed: bool
    runnable: bool
    findings: int
    tests: TestCounts | None
    outcome: CommandOutcome
    exit_code: int | None
    seconds: float
    output_end: int
    """Length of its log in the store."""


class BaselineStarted(Frozen):
    """The checks are run on the base commit, in a sandbox of their own."""

    kind: Literal["baseline.started"] = "baseline.started"
    commit: CommitSha


class BaselineReady(Frozen):
    """What the checks say of the base commit is known."""

    kind: Literal["baseline.ready"] = "baseline.ready"
    commit: CommitSha
    checks: tuple[str, ...]
    """`name passed`, `name failed` or `name could not be run`."""

    cached: bool
    seconds: float


class QuickChecked(Frozen):
    """Files just edited were looked at."""

    kind: Literal["quick.checked"] = "quick.checked"
    turn: int
    step: int
    findings: int
    shown: tuple[str, ...]
    seconds: float


class FilesMended(Frozen):
    """Fixers of the checks changed files."""

    kind: Literal["files.mended"] = "files.mended"
    turn: int
    files: tuple[str, ...]


class WorkJudged(Frozen):
    """All checks have spoken about the work; the verdict follows in the view."""

    kind: Literal["work.judged"] = "work.judged"
    turn: int
    round: int
    counts: FindingCounts
    tests: TestCounts
    tests_at_base: TestCounts
    unrunnable: tuple[str, ...]
    shown: tuple[str, ...]


class TranscriptCompacted(Frozen):
    """The transcript had become too long for the model and was summed up."""

    kind: Literal["transcript.compacted"] = "transcript.compacted"
    turn: int
    step: int
    messages_before: int
    messages: int
    usage: Usage


class WorkExported(Frozen):
    """The work was taken out of the sandbox and kept."""

    kind: Literal["work.exported"] = "work.exported"
    tip: CommitSha
    changed: bool


class PullRequestProposed(Frozen):
    """The branch was pushed and the proposal recorded."""

    kind: Literal["pull_request.proposed"] = "pull_request.proposed"
    pull_request: PullRequest


class WorkFailed(Frozen):
    """Something was tried as often as it may be, and failed."""

    kind: Literal["work.failed"] = "work.failed"
    activity: str
    """Which work, such as `model.step`."""

    failure: str
    """The kind of failure, see `workflows/contract/failures.py`; empty when it had none."""

    message: str


class SessionEnded(Frozen):
    """The session was closed, or broke; its work is kept and it may be opened again."""

    kind: Literal["session.closed", "session.broken"]
    reason: str


Happened = Annotated[
    Opening
    | PromptArrived
    | PromptRevised
    | PromptWithdrawn
    | DecisionMade
    | PromptRefused
    | DecisionRefused
    | Configured
    | StopRequested
    | ViewChanged
    | StepAsked
    | StepTaken
    | CommandStarted
    | CommandFinished
    | FileUsed
    | SandboxOpening
    | SandboxOpened
    | SandboxClosed
    | ChecksFound
    | CheckStarted
    | CheckFinished
    | BaselineStarted
    | BaselineReady
    | QuickChecked
    | FilesMended
    | WorkJudged
    | TranscriptCompacted
    | WorkExported
    | PullRequestProposed
    | WorkFailed
    | SessionEnded,
    Field(discriminator="kind"),
]


class SessionEvent(Frozen):
    """One thing that happened, where and when."""

    cursor: Cursor
    at: datetime
    event: Happened


class EventPage(Frozen):
    """Some events of a session in their order; the newest ones when nothing else is asked for."""

    object: Literal["list"] = "list"
    data: tuple[SessionEvent, ...]
    has_older: bool
    """More events went before; ask with `before` = the first cursor of this page."""

    has_newer: bool
    """More events came after; ask with `after` = the last cursor of this page."""
