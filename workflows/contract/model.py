"""One step of a model: what it is asked and what it answers."""

from typing import Literal

from pydantic import Field

from workflows.contract.base import Frozen, PromptId, SessionId, Sha256
from workflows.contract.transcript import NewMessage, RefusedCall, ToolCall, TranscriptHead


class Usage(Frozen):
    """What one or more requests used."""

    requests: int = 0
    """Requests begun for answered steps, also those whose answer was lost with a process."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None when the price of the model is unknown; such sessions are budgeted by tokens."""

    def plus(self, other: "Usage") -> "Usage":
        """Add two usages; a known cost plus an unknown one stays the known part."""
        costs = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=sum(costs) if costs else None,
        )


class WorkingFacts(Frozen):
    """What the system prompt says of the place the model works in; stable within a session."""

    repository: str = Field(max_length=500)
    base: str = Field(max_length=300)
    workspace: str = Field(max_length=500)
    checks: tuple[str, ...] = ()
    """Commands that will judge the work."""

    instructions: Sha256 | None = None
    """Object with the repository's own text for agents."""

    instructions_in: tuple[str, ...] = ()
    """Folders that have such a text of their own."""


class ModelCall(Frozen):
    """Ask for the next step: the transcript at `head`, with `new` appended."""

    session: SessionId
    turn: int
    step: int
    model: str = Field(max_length=200)
    """A LiteLLM model name such as `anthropic/claude-sonnet-4-5`."""

    facts: WorkingFacts
    head: TranscriptHead
    new: tuple[NewMessage, ...]
    held_commands: tuple[str, ...] = ()
    """Patterns of commands that a person has to approve; such calls come back `held`."""

    blanked: int = 0
    """Messages from the beginning whose tool results are left out of what is sent."""


class ModelStep(Frozen):
    """One finished reply, already part of the transcript at `head`."""

    kind: Literal["step"] = "step"
    session: SessionId
    turn: int
    step: int
    head: TranscriptHead
    text: str = Field(max_length=4_000)
    """Beginning of what the model said; the whole is in the transcript."""

    calls: tuple[ToolCall, ...] = Field(default=(), max_length=16)
    refused: tuple[RefusedCall, ...] = Field(default=(), max_length=16)
    usage: Usage
    seconds: float
    context_limit: int = 0
    """Input tokens that the model can take; 0 when it is not known."""


class CompactTranscript(Frozen):
    """Have the model sum up a transcript that has become too long for it."""

    session: SessionId
    turn: int
    step: int
    model: str = Field(max_length=200)
    facts: WorkingFacts
    head: TranscriptHead


class TranscriptCompacted(Frozen):
    """A shorter transcript: the prompts, a summary, the newest exchanges."""

    kind: Literal["compacted"] = "compacted"
    session: SessionId
    turn: int
    step: int
    head: TranscriptHead
    messages_before: int
    usage: Usage
    seconds: float


class PromptText(Frozen):
    """A prompt as the store keeps it at `prompts/<session>/<prompt id>`."""

    id: PromptId
    text: str
