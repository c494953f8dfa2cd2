"""The proposal a session ends in."""

from typing import Literal

from pydantic import Field

from workflows.contract.base import CommitSha, Frozen, SessionId
from workflows.contract.checks import CheckResult
from workflows.contract.judging import Verdict
from workflows.contract.sandbox import Repository, WorkBundle


class Propose(Frozen):
    """Push the work as the session's branch and find or create its pull request."""

    session: SessionId
    turn: int
    revision: int
    """Counts the pushes that the session knows of, from 1."""

    repository: Repository
    branch: str
    work: WorkBundle
    parent: CommitSha
    """The last commit this session pushed, or the base commit before the first push."""

    expected: CommitSha | None
    """What the remote branch must point at; none when it must not exist yet."""

    title: str = Field(max_length=200)
    body: str = Field(max_length=8_000)
    checks: tuple[CheckResult, ...] = ()
    verdict: Verdict
    """What the gate says of the work."""

    remarks: tuple[str, ...] = Field(default=(), max_length=8)
    """A line for each finding that stands, for the reviewer."""

    authored_at: int
    """Seconds since the epoch, from the workflow's clock, so that a retry makes the same commit."""


class FileChange(Frozen):
    """How much of one file changed; both counts are 0 for a binary file."""

    path: str
    added: int
    removed: int


class PullRequest(Frozen):
    """One revision of a session's proposal, kept at `pulls/<session>/<turn>`."""

    kind: Literal["pull_request"] = "pull_request"
    session: SessionId
    turn: int
    revision: int
    repository: Repository
    branch: str
    commit: CommitSha
    title: str
    files: tuple[FileChange, ...] = Field(default=(), max_length=50)
    """The first 50 files."""

    files_changed: int
    added: int
    removed: int
    passed: bool | None
    """Whether the gate is green; none when the repository has no checks."""

    verdict: Verdict
    draft: bool
    """It is not green, and a person should look before anything else."""

    checks: tuple[CheckResult, ...] = ()
    diff_key: str
    """Store key of the whole diff against the base commit, as `git diff` prints it."""

    merge_command: str
    """What a person types to merge it."""
