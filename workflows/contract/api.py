"""What the gateway's REST interface takes and gives; spoken by the gateway and the command line."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from workflows.contract.asking import ANSWER_CHARACTERS, Asked
from workflows.contract.base import Frozen, PromptId, SessionId
from workflows.contract.sandbox import Repository
from workflows.contract.session import (
    FALLBACKS_LIMIT,
    Approvals,
    Budget,
    PromptMode,
    QueuedPrompt,
    SessionView,
)

PROMPT_LIMIT_BYTES = 1_000_000
"""A longer prompt is refused with 413."""

PROMPT_ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""A UUID in lower case."""

QUESTION_ID = r"^[0-9a-f]{16}$"

ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
"""As LiteLLM writes it: visible ASCII characters without a space."""


class PromptBody(Frozen):
    """A prompt; repeating it with the same id and text is harmless, with other text a conflict."""

    id: PromptId = Field(pattern=PROMPT_ID)
    """A UUID made by the client, in lower case."""

    text: str = Field(min_length=1)
    mode: PromptMode = PromptMode.QUEUE


class CreateSession(Frozen):
    """Start a session with its first prompt; the session's id follows from the prompt's."""

    prompt: PromptBody
    repository: Repository
    model: ModelName | None = None
    """The gateway's configured model when none is given."""

    fallbacks: tuple[ModelName, ...] = Field(default=(), max_length=FALLBACKS_LIMIT)
    """Models to be asked, in this order, when the one before cannot be.

    With neither model nor fallbacks given, the gateway's configured ones.
    """

    budget: Budget = Budget()
    approvals: Approvals = Approvals()


class Decision(Frozen):
    """Answer the question that a session waits for; another one's answer changes nothing."""

    question: str = Field(pattern=QUESTION_ID)
    """Its id, from the view's `asked`: it follows from exactly what is asked."""

    approved: bool
    text: str = Field(default="", max_length=ANSWER_CHARACTERS)
    """The answer, or the reason; the model reads it."""


class OpenQuestion(Frozen):
    """What a session asks, with all that the answer is about."""

    object: Literal["question"] = "question"
    asked: Asked
    whole: str = ""
    """The whole command that waits for approval, or the whole of the model's question."""

    diff: str = ""
    """Where the whole diff of the files in question is; empty when there is none."""


class DecisionTaken(Frozen):
    """The answer is durable."""

    object: Literal["decision"] = "decision"
    question: str
    approved: bool


class Configure(Frozen):
    """Change how a session goes on, from its next model call on; what is left out stays."""

    model: ModelName | None = None
    fallbacks: tuple[ModelName, ...] | None = Field(default=None, max_length=FALLBACKS_LIMIT)
    budget: Budget | None = None


class PromptList(Frozen):
    """The prompts that wait, in the order in which they will be worked on."""

    object: Literal["list"] = "list"
    data: tuple[QueuedPrompt, ...]
    """The first eight."""

    waiting: int


class ReopenSession(Frozen):
    """Go on with a closed session."""

    prompt: PromptBody


class StopSession(Frozen):
    """Interrupt or close a session, and why, for people."""

    reason: str = Field(default="", max_length=200)


class SessionResource(Frozen):
    """A session as the interface shows it."""

    object: Literal["session"] = "session"
    id: SessionId
    url: str
    title: str
    repository: Repository
    branch: str
    model: str
    fallbacks: tuple[str, ...] = ()
    budget: Budget
    approvals: Approvals = Approvals()
    created_at: datetime
    ended_at: datetime | None = None
    view: SessionView
    trouble: str = Field(default="", max_length=500)
    """Why what runs now is tried again, with the number of the attempt; lists leave it out."""

    cure: str = Field(default="", max_length=500)
    """What to do now that the last turn ended short of its aim; empty when there is nothing."""


class SessionList(Frozen):
    """One page of sessions, newest first."""

    object: Literal["list"] = "list"
    data: tuple[SessionResource, ...]
    has_more: bool
    next_cursor: str | None = None


class PromptAccepted(Frozen):
    """The prompt is durable and is handled at most once.

    A full queue is refused at once with 429. One that fills up meanwhile, or a session that has no
    more room, refuses it later, which the view's `refused` tells.
    """

    object: Literal["prompt"] = "prompt"
    id: PromptId
    session: SessionId
    repeated: bool
    """Whether this very prompt had been accepted before."""


class Problem(Frozen):
    """An error, by RFC 9457; served as `application/problem+json`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    """Stable name for programs."""

    hint: str = ""
    """What to do about it."""

    request_id: str = ""
    errors: tuple[str, ...] = ()
    """The offending fields, each with its reason."""
