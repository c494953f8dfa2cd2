"""A session as it is asked for, signalled, carried from run to run and shown."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from workflows.contract.asking import Asked
from workflows.contract.base import CommitSha, Frozen, PromptId, SessionId, Sha256
from workflows.contract.checks import Baseline, CheckPlan
from workflows.contract.judging import GateState, VerdictGiven
from workflows.contract.model import Usage
from workflows.contract.sandbox import Repository, SandboxBinding, WorkBundle
from workflows.contract.transcript import NewMessage, TranscriptHead

SEEN_LIMIT = 500
"""Prompt ids remembered by a session; an id older than so many prompts is no longer known."""

QUEUE_LIMIT = 50
"""Prompts that may wait: the gateway refuses one more."""

QUEUE_MOST = 100
"""Prompts that a session keeps: those that were on their way together when there was room."""

QUEUED_EXCERPT_CHARACTERS = 60
"""How much of a waiting prompt's text the state keeps, for people."""

VIEWED_QUEUE = 8
"""Waiting prompts that the view names."""

FALLBACKS_LIMIT = 5

STATE_FULL_BYTES = 28 * 1024
"""With a larger state, the gateway refuses prompts as with a full queue."""

STATE_LIMIT_BYTES = 36 * 1024
"""With a larger state, a session refuses prompts: a turn adds to it and must still fit a run."""


class Phase(StrEnum):
    """What a session is doing."""

    PREPARING = "preparing"
    WORKING = "working"
    CHECKING = "checking"
    PROPOSING = "proposing"
    ASKING = "asking"
    """A person is needed: see `asked` in the view. Nothing is polled, days may pass."""

    WAITING = "waiting"
    """For a prompt: nothing is polled, the sandbox stays as it is."""

    CLOSED = "closed"


class StopReason(StrEnum):
    """Why a turn ended."""

    FINISHED = "finished"
    STEP_BUDGET = "step_budget"
    TIME_BUDGET = "time_budget"
    TOKEN_BUDGET = "token_budget"  # noqa: S105  # a limit, no secret
    COST_BUDGET = "cost_budget"
    CHECKS_FAILED = "checks_failed"
    """Findings stand and the model gets no further; nothing was proposed."""

    STUCK = "stuck"
    """The model asked for the same again and again."""

    REJECTED = "rejected"
    """A person refused the proposal."""

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
    """What may be used before a person is asked: steps and minutes by a turn, the rest in all."""

    steps: int = Field(default=100, ge=1, le=10_000)
    minutes: float = Field(default=120.0, gt=0, le=60 * 24 * 30)
    """Waiting for a person does not count."""

    tokens: int | None = Field(default=None, ge=1, le=10**12)
    """Input and output of all requests of the session; no limit when none is given."""

    cost_usd: float | None = Field(default=None, gt=0, le=10**6, allow_inf_nan=False)
    """Of the session; does nothing while the model's price is unknown."""


class Approvals(Frozen):
    """What a person has to approve, besides what the repository itself demands."""

    commands: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(), max_length=20
    )
    """Patterns as `fnmatch` reads them, held against each whole command."""

    pull_request: bool = False
    """Whether each proposal waits for a look at its diff."""


class SessionOptions(Frozen):
    """What a session is asked for; model and budget may be changed while it lasts."""

    repository: Repository
    model: str = Field(max_length=200)
    fallbacks: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=FALLBACKS_LIMIT
    )
    """Models to be asked, in this order, when the one before cannot be."""

    budget: Budget = Budget()
    approvals: Approvals = Approvals()
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


class ConfigureSignal(Frozen):
    """Change how a session goes on; takes effect before its next model call."""

    model: str | None = Field(default=None, max_length=200)
    fallbacks: tuple[Annotated[str, Field(max_length=200)], ...] | None = Field(
        default=None, max_length=FALLBACKS_LIMIT
    )
    budget: Budget | None = None


class RevisePrompt(Frozen):
    """Put another prompt into the place of one that still waits."""

    prompt: PromptId
    replacement: PromptSignal


class WithdrawPrompt(Frozen):
    """Take back a prompt that still waits."""

    prompt: PromptId


class PromptsWaiting(Frozen):
    """The answer to a revision or withdrawal: what waits now."""

    waiting: int


class TurnState(Frozen):
    """A turn between two steps; enough to go on in another run."""

    number: int
    prompt: PromptSignal
    step: int = 0
    started_at: float
    """Seconds since the epoch, from the workflow's clock."""

    bad_steps: int = 0
    """Steps in a row of which no call could be carried out."""

    waited_seconds: float = 0.0
    """Spent waiting for a person; the time budget leaves it out."""

    extra_steps: int = 0
    """Granted by a person beyond the budget."""

    extra_minutes: float = 0.0
    fallback: int = 0
    """How many models of the session's list could not be asked in this turn."""

    recent: tuple[str, ...] = Field(default=(), max_length=20)
    """A hash for each of the last steps: what was called and what came of it."""

    gate: GateState = GateState()


class PullRequestState(Frozen):
    """The newest revision of the session's proposal."""

    revision: int
    commit: CommitSha
    tree: str
    passed: bool | None
    draft: bool = False


class TurnEnd(Frozen):
    """How the last turn ended."""

    turn: int
    reason: StopReason
    summary: str = Field(default="", max_length=300)
    """What the model said it did, or what failed and what to do."""

    failure: str = Field(default="", max_length=60)
    """Why a turn failed, as a code of `workflows/contract/problems.py`; empty when nothing says."""


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

    lost_work: bool = False
    """The files are older than what the model last saw of them, and it does not know it yet."""

    pull_request: PullRequestState | None = None
    usage: Usage = Usage()
    last: TurnEnd | None = None
    checks: tuple[str, ...] = ()
    """`name passed` or `name failed` of the newest check results."""

    pending: tuple[NewMessage, ...] = ()
    """Messages that the next model call appends."""

    baseline: Baseline | None = None
    baselines: int = 0
    """Times that it was found out; a second time when the first was not complete."""

    asked: Asked | None = None
    """What a person is asked; the turn goes on when it is answered."""

    verdict: VerdictGiven | None = None
    """Of the newest judgement."""

    extra_tokens: int = 0
    """Granted by a person beyond the budget."""

    extra_cost_usd: float = 0.0
    blanked: int = 0
    """Messages of the transcript, from its beginning, whose tool results are left out."""

    context_tokens: int = 0
    """Input of the newest model call."""

    context_limit: int = 0
    """What the model can take in; 0 when it is not known."""


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
    draft: bool = False


class QueuedPrompt(Frozen):
    """A prompt that waits, as the view names it."""

    id: PromptId
    mode: PromptMode
    excerpt: str = Field(max_length=QUEUED_EXCERPT_CHARACTERS)


class SessionView(Frozen):
    """What anybody may see of a session with no worker alive; some KiB as JSON."""

    phase: Phase
    run_index: int
    turn: int
    step: int
    queued: int
    full: bool = False
    """No further prompt is taken until fewer wait."""

    usage: Usage
    head: Sha256 | None = None
    activity: str = Field(default="", max_length=200)
    """What is being done now: the command, the file, the check."""

    pull_request: ViewedPullRequest | None = None
    last: TurnEnd | None = None
    checks: tuple[str, ...] = Field(default=(), max_length=8)
    """`name passed` or `name failed` of the newest check results."""

    refused: str = Field(default="", max_length=200)
    """The newest refused prompt or decision: its id and why."""

    asked: Asked | None = None
    """What a person is asked; answered by a decision that names its id."""

    queue: tuple[QueuedPrompt, ...] = Field(default=(), max_length=VIEWED_QUEUE)
    """The first of the waiting prompts."""

    model: str = ""
    """The model that is asked now; a fallback when the one before could not be."""

    verdict: VerdictGiven | None = None
    """What the gate said last."""


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
