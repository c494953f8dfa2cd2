"""The root of all contract types and the identifiers they share."""

from typing import NewType

from pydantic import BaseModel, ConfigDict

SessionId = NewType("SessionId", str)
"""Names a session; equals its Temporal workflow id and ends its branch name."""

PromptId = NewType("PromptId", str)
"""Names a prompt; made by the client, so that a repeated request is recognised."""

CommandId = NewType("CommandId", str)
"""Names one command in one sandbox; the same id never runs twice."""

EffectId = NewType("EffectId", str)
"""Names one change of a file in a sandbox; the same id is never applied twice."""

Sha256 = NewType("Sha256", str)
"""64 lower-case hexadecimal digits that name an object by its content."""

CommitSha = NewType("CommitSha", str)
"""40 lower-case hexadecimal digits that name a git commit."""

INLINE_LIMIT_BYTES = 64 * 1024
"""No signal, activity input or continue-as-new input is larger; bytes live in the store."""


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
