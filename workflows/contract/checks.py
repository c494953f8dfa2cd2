"""The repository's own verifications: which there are and how they ended."""

from typing import Literal

from pydantic import Field

from workflows.contract.base import CommandId, CommitSha, Frozen, SessionId
from workflows.contract.sandbox import CommandOutcome, Repository, SandboxBinding


class CheckSpec(Frozen):
    """One verification: a shell command that exits with 0 when the repository is sound."""

    name: str = Field(max_length=100, pattern=r"^[a-z0-9][a-z0-9_-]*$")
    command: str = Field(max_length=500)
    timeout_seconds: float = Field(default=1_800.0, gt=0, le=86_400)


class DetectChecks(Frozen):
    """Find the repository's checks at the commit the session starts from."""

    session: SessionId
    repository: Repository
    commit: CommitSha


class CheckPlan(Frozen):
    """The commands that judge a session's work, fixed when it starts.

    What a command reads in the workspace, such as tests and configuration, the model can change.
    """

    kind: Literal["check_plan"] = "check_plan"
    checks: tuple[CheckSpec, ...] = Field(default=(), max_length=8)
    source: str = Field(max_length=200)
    """Where they were found, for people; says so when there are none."""


class RunCheck(Frozen):
    """Run one check in the sandbox, once per command id."""

    session: SessionId
    turn: int
    binding: SandboxBinding
    command_id: CommandId
    check: CheckSpec


class CheckResult(Frozen):
    """How one check ended."""

    kind: Literal["check"] = "check"
    session: SessionId
    turn: int
    name: str
    command: str
    command_id: CommandId
    passed: bool
    outcome: CommandOutcome
    exit_code: int | None
    seconds: float
    output_end: int = 0
    """Length of its log in the store, in bytes; histories of the time before it have none."""

    excerpt: str = Field(max_length=1_000)
    """End of its output."""
