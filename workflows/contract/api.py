"""What the gateway's REST interface takes and gives; spoken by the gateway and the command line."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from workflows.contract.base import Frozen, PromptId, SessionId
from workflows.contract.sandbox import Repository
from workflows.contract.session import Budget, PromptMode, SessionView

PROMPT_LIMIT_BYTES = 1_000_000
"""A longer prompt is refused with 413."""


class PromptBody(Frozen):
    """A prompt; repeating it with the same id and text is harmless, with other text a conflict."""

    id: PromptId = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    """A UUID made by the client, in lower case."""

    text: str = Field(min_length=1)
    mode: PromptMode = PromptMode.QUEUE


class CreateSession(Frozen):
    """Start a session with its first prompt; the session's id follows from the prompt's."""

    prompt: PromptBody
    repository: Repository
    model: str | None = Field(default=None, max_length=200)
    """The gateway's configured model when none is given."""

    budget: Budget = Budget()


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
    budget: Budget
    created_at: datetime
    ended_at: datetime | None = None
    view: SessionView
    trouble: str = Field(default="", max_length=500)
    """Why what runs now is tried again, with the number of the attempt; lists leave it out."""


class SessionList(Frozen):
    """One page of sessions, newest first."""

    object: Literal["list"] = "list"
    data: tuple[SessionResource, ...]
    has_more: bool
    next_cursor: str | None = None


class PromptAccepted(Frozen):
    """The prompt is durable and is handled at most once.

    A full queue refuses it later, which the view's `refused` tells.
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
