"""The ordered record a model is shown from, addressed by content.

The workflow carries only a `TranscriptHead`; messages live in the store (`runtime/transcript.py`).
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from workflows.contract.base import Frozen, PromptId, Sha256


class TranscriptHead(Frozen):
    """One immutable version of a session's transcript."""

    manifest: Sha256 | None = None
    """Object that lists the messages; none for the empty transcript."""

    messages: int = 0


class RequestedCall(Frozen):
    """A tool call as the model wrote it; the arguments may not even be JSON."""

    id: str
    name: str
    arguments: str


class UserMessage(Frozen):
    """What a person or Overnight itself tells the model."""

    kind: Literal["user"] = "user"
    text: str
    from_person: bool = False
    """Whether it is a prompt: those outlive the summing up of a long transcript."""


class AssistantMessage(Frozen):
    """One finished reply of the model."""

    kind: Literal["assistant"] = "assistant"
    text: str
    calls: tuple[RequestedCall, ...] = ()
    provider_fields: str = "{}"
    """JSON object of fields that the provider wants back unchanged, such as signed thinking."""


class ToolMessage(Frozen):
    """The answer to one tool call."""

    kind: Literal["tool"] = "tool"
    call_id: str
    text: str


Message = Annotated[UserMessage | AssistantMessage | ToolMessage, Field(discriminator="kind")]


class FromPrompt(Frozen):
    """A message to append: the text of an accepted prompt, read from the store."""

    kind: Literal["prompt"] = "prompt"
    prompt_id: PromptId


class FromNode(Frozen):
    """A message to append that an activity has put into the store already."""

    kind: Literal["node"] = "node"
    sha256: Sha256


class FromWorkflow(Frozen):
    """A short message that the workflow writes itself, at most 2,000 characters."""

    kind: Literal["note"] = "note"
    text: str = Field(max_length=2_000)
    call_id: str | None = None
    """Set when the note answers a tool call, such as one that an interrupt left unanswered."""


NewMessage = Annotated[FromPrompt | FromNode | FromWorkflow, Field(discriminator="kind")]


class ToolName(StrEnum):
    """What a model may ask for."""

    BASH = "bash"
    VIEW = "view"
    EDIT = "edit"
    WRITE = "write"
    RUN_CHECKS = "run_checks"
    ASK = "ask"
    FINISH = "finish"


class ToolCall(Frozen):
    """A validated tool call; its arguments stay in the store because they may be large."""

    id: str
    """Unique within its step."""

    name: ToolName
    summary: str = Field(max_length=2_000)
    """For people: the command, or the path of the file; for `finish` what the model says it did,
    for `ask` the question."""

    options: tuple[Annotated[str, Field(max_length=100)], ...] = Field(default=(), max_length=6)
    """Of `ask`: the answers to choose from."""

    held: bool = False
    """Whether it is a command that a person has to approve first."""

    source: Sha256
    """Object with the call's arguments as canonical JSON."""


class RefusedCall(Frozen):
    """A tool call that cannot be carried out; the model gets the reason as its answer."""

    id: str
    name: str = Field(max_length=100)
    reason: str = Field(max_length=600)
