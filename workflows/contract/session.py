"""A session as it is asked for, signalled, carried from run to run and shown."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from workflows.contract.base import CommitSha, Frozen, PromptId, SessionId, Sha256
from workflows.contract.checks import CheckPlan
from workflows.contract.model import Usage
from workflows.contract.sandbox import Repository, SandboxBinding, WorkBundle
from workflows.contract.transcript import NewMessage, TranscriptHead

SEEN_LIMIT = 1_000
"""Prompt ids remembered by a session; an id older than so many prompts is no longer known."""

QUEUE_LIMIT = 50
"""Prompts that may wait; one more is refused."""

QUEUED_EXCERPT_CHARACTERS = 60
"""How much of a waiting prompt's text the state keeps, for people."""

STATE_LIMIT_BYTES = 36 * 1024
"""With a larger state, prompts are refused: a turn adds to it and must still fit a new run."""


class Phase(StrEnum):
    """What a session is doing."""

    PREPARING = "preparing"
    WORKING = "working"
    CHECKING = "checking"
    PROPOSING = "proposing"
    WAITING = "waiting"
    """For a prompt: nothing is polled, the sandbox stays as it is."""

    CLOSED = "closed"


class StopReason(StrEnum):
    """Why a turn ended."""

    FINISHED = "finished"
    STEP_BUDGET = "step_budget"
    TIME_BUDGET = "time_budget"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class PromptMode(StrEnum):
    """When a prompt is taken up."""

    QUEUE = "queue"
    """As the next turn."""

    STEER = "steer"
    """Before the next model call of the running turn."""

    INTERRUPT = "interrupt"
    """At once: what runs is stopped, then this prompt is the next turn."""


class Budget(Frozen):
    """What one turn may use."""

    steps: int = Field(default=100, ge=1, le=10_000)
    minutes: float = Field(default=120.0, gt=0, le=60 * 24 * 30)


class SessionOptions(Frozen):
    """What a session is asked for, fixed when it starts."""

    repository: Repository
    model: str = Field(max_length=200)
    budget: Budget = Budget()
    branch: str = Field(max_length=200)
    title: str = Field(max_length=80)
    """Beginning of the first prompt, for lists."""


class PromptSignal(Frozen):
    """A prompt's announcement; its text is in the store before the signal is sent."""

    id: PromptId
    mode: PromptMode = PromptMode.QUEUE
    sha256: Sha256
    size: int
    """Length of the text in bytes."""

    excerpt: str = Field(max_length=200)


class InterruptSignal(Frozen):
    """Stop what runs; the session stays open for prompts."""

    reason: str = Field(default="", max_length=200)


class CloseSignal(Frozen):
    """Stop what runs, keep the work, remove the sandbox and end the session."""

    reason: str = Field(default="", max_length=200)


class TurnState(Frozen):
    """A turn between two steps; enough to go on in another run."""

    number: int
    prompt: PromptSignal
    step: int = 0
    started_at: float
    """Seconds since the epoch, from the workflow's clock."""

    bad_steps: int = 0
    """Steps in a row of which no call could be carried out."""


class PullRequestState(Frozen):
    """The newest revision of the session's proposal."""

    revision: int
    commit: CommitSha
    tree: str
    passed: bool | None


class TurnEnd(Frozen):
    """How the last turn ended."""

    turn: int
    reason: StopReason
    summary: str = Field(default="", max_length=300)
    """What the model said it did, or what failed and what to do."""


class SessionState(Frozen):
    """All of a session that survives continue-as-new and a reopening."""

    seen: tuple[str, ...] = ()
    """First 16 hexadecimal digits of the sha256 of each known prompt id, oldest first."""

    queue: tuple[PromptSignal, ...] = ()
    turn: TurnState | None = None
    turns: int = 0
    steps: int = 0
    head: TranscriptHead = TranscriptHead()
    """The transcript; also what a restored session starts from."""

    sandbox_id: str | None = None
    """Set when a sandbox is first asked for, before it is known where it came to be."""

    binding: SandboxBinding | None = None
    base_commit: CommitSha | None = None
    plan: CheckPlan | None = None
    checkpoint: WorkBundle | None = None
    """The work when the sandbox was last closed or delivered."""

    pull_request: PullRequestState | None = None
    usage: Usage = Usage()
    last: TurnEnd | None = None
    checks: tuple[str, ...] = ()
    """`name passed` or `name failed` of the newest check results."""

    pending: tuple[NewMessage, ...] = ()
    """Messages that the next model call appends."""


class PreviousRun(Frozen):
    """The run that went before, to be archived."""

    run_id: str
    run_index: int


class SessionInput(Frozen):
    """What a run of the session workflow starts with."""

    session: SessionId
    options: SessionOptions
    run_index: int = 0
    """Counts the runs of the session over continue-as-new and reopening."""

    state: SessionState = SessionState()
    previous: PreviousRun | None = None


class SessionEnd(Frozen):
    """What a closed session leaves; a reopening starts from it."""

    session: SessionId
    options: SessionOptions
    run_index: int
    state: SessionState


class ViewedPullRequest(Frozen):
    """The proposal as lists show it."""

    revision: int
    commit: CommitSha
    passed: bool | None


class SessionView(Frozen):
    """What anybody may see of a session with no worker alive; at most 3 KiB as JSON."""

    phase: Phase
    run_index: int
    turn: int
    step: int
    queued: int
    usage: Usage
    head: Sha256 | None = None
    activity: str = Field(default="", max_length=200)
    """What is being done now: the command, the file, the check."""

    pull_request: ViewedPullRequest | None = None
    last: TurnEnd | None = None
    checks: tuple[str, ...] = Field(default=(), max_length=8)
    """`name passed` or `name failed` of the newest check results."""

    refused: str = Field(default="", max_length=200)
    """The newest refused prompt's id and why."""


class ArchiveRun(Frozen):
    """Keep the raw history of a run beyond the server's retention."""

    session: SessionId
    run_id: str
    run_index: int


class RunArchived(Frozen):
    """A run's history stands in the store."""

    kind: Literal["archived"] = "archived"
    store_key: str
    events: int
