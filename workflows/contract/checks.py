"""The repository's own verifications: which there are, how they ended, what they found."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from workflows.contract.base import CommandId, CommitSha, Frozen, SessionId, Sha256
from workflows.contract.findings import FindingKind, TestCounts
from workflows.contract.sandbox import CommandOutcome, Repository, SandboxBinding

REPORT_VARIABLE = "OVERNIGHT_REPORT"
"""Holds the path where a check's command leaves its report; without one its output is read."""

GUARDED_LIMIT = 50


class Reader(StrEnum):
    """How a check's report is read."""

    JUNIT = "junit"
    SARIF = "sarif"
    JSON_LINES = "json_lines"
    """One JSON object a line, or one document, of the tools in `activities/checks/readers`."""

    TEXT = "text"
    """Lines such as `file:line:column: message`; what is not understood is one finding."""


class CheckSpec(Frozen):
    """One verification: a shell command that exits with 0 when the repository is sound."""

    name: str = Field(max_length=100, pattern=r"^[a-z0-9][a-z0-9_-]*$")
    command: str = Field(max_length=500)
    timeout_seconds: float = Field(default=1_800.0, gt=0, le=86_400)
    kind: FindingKind = FindingKind.BUILD
    """Of its findings, where its report does not say."""

    reader: Reader = Reader.TEXT
    quick: str = Field(default="", max_length=500)
    """The same for some files only, which are appended; run after edits, in seconds."""

    fix: str = Field(default="", max_length=500)
    """Mends what it can in the files that are appended."""

    rerun: str = Field(default="", max_length=500)
    """Runs only the tests whose ids are appended, and reports as `command` does."""


class DetectChecks(Frozen):
    """Find the repository's checks at the commit the session starts from."""

    session: SessionId
    repository: Repository
    commit: CommitSha


class CheckPlan(Frozen):
    """What a repository says of itself at the base commit; fixed while a session lasts.

    What a command reads in the workspace, such as tests and configuration, the model can change:
    the gate looks at that (`activities/checks/examining/integrity.py`).
    """

    kind: Literal["check_plan"] = "check_plan"
    checks: tuple[CheckSpec, ...] = Field(default=(), max_length=8)
    source: str = Field(max_length=200)
    """Where they were found, for people; says so when there are none."""

    guarded: tuple[str, ...] = Field(default=(), max_length=GUARDED_LIMIT)
    """Further patterns of paths that the work may not change, as `fnmatch` reads them."""

    tests_may_change: bool = False
    """Whether changed tests may be what makes the checks pass."""

    approve_commands: tuple[str, ...] = Field(default=(), max_length=GUARDED_LIMIT)
    """Commands, as `fnmatch` patterns, that a person has to approve each time."""

    approve_pull_request: bool = False
    instructions: Sha256 | None = None
    """Transcript-independent object with the repository's text for agents (AGENTS.md)."""

    instructions_in: tuple[str, ...] = Field(default=(), max_length=20)
    """Folders that have such a text of their own."""


class RunCheck(Frozen):
    """Run one check in the sandbox, once per command id."""

    session: SessionId
    turn: int
    binding: SandboxBinding
    command_id: CommandId
    check: CheckSpec
    original: tuple[str, ...] = Field(default=(), max_length=200)
    """Paths that are put back to the base commit first: the tests as they were."""

    tests: tuple[str, ...] = Field(default=(), max_length=20)
    """Only these tests, alone; all when none are named."""


class CheckResult(Frozen):
    """How one check ended."""

    kind: Literal["check"] = "check"
    session: SessionId
    turn: int
    name: str
    command: str
    command_id: CommandId
    passed: bool
    """It ran to its end, exited with 0, its report could be read and holds no failure."""

    outcome: CommandOutcome
    exit_code: int | None
    seconds: float
    output_end: int = 0
    """Length of its log in the store, in bytes; histories of the time before it have none."""

    excerpt: str = Field(max_length=1_000)
    """End of its output."""

    runnable: bool = True
    """False when it could not be run, or told nothing that can be read: then nothing is known."""

    findings: int = 0
    tests: TestCounts | None = None
    """None for what is no test runner."""

    report: Sha256 | None = None
    """Object with its `FindingReport`."""

    def facts(self) -> "CheckFacts":
        """Return what a judge needs of it, without the texts."""
        return CheckFacts(
            name=self.name,
            passed=self.passed,
            runnable=self.runnable,
            findings=self.findings,
            tests=self.tests,
            report=self.report,
        )


class CheckFacts(Frozen):
    """How one check ended, without texts of any length; see `CheckResult` for the fields."""

    name: str = Field(max_length=100)
    passed: bool
    runnable: bool
    findings: int
    tests: TestCounts | None
    report: Sha256 | None


class PrepareBaseline(Frozen):
    """Run the checks on the base commit, in a sandbox of their own, unless it was done before."""

    session: SessionId
    sandbox_id: str
    """Of the sandbox that is made for it and removed again."""

    repository: Repository
    commit: CommitSha
    branch: str
    plan: CheckPlan


class Baseline(Frozen):
    """What the checks say of the base commit; the same for every session that starts there."""

    kind: Literal["baseline"] = "baseline"
    session: SessionId
    commit: CommitSha
    results: tuple[CheckFacts, ...] = Field(default=(), max_length=8)
    cached: bool
    """It had been found out before."""

    seconds: float


class QuickCheck(Frozen):
    """Look at files just edited, in the session's own sandbox, with what takes seconds."""

    session: SessionId
    turn: int
    step: int
    binding: SandboxBinding
    command_id: CommandId
    plan: CheckPlan
    baseline: Baseline | None
    """None when it is not known yet; then everything found is shown."""

    files: tuple[str, ...] = Field(max_length=16)
    told: str = ""
    """Fingerprint of the findings that the model was last told; the same ones are not repeated."""


class QuickResult(Frozen):
    """What the quick checks found in the edited files."""

    kind: Literal["quick"] = "quick"
    session: SessionId
    turn: int
    step: int
    findings: int
    told: str
    """To be handed on to the next quick check."""

    shown: tuple[str, ...] = Field(default=(), max_length=8)
    """A line for each of the first findings, for people."""

    message: Sha256 | None = None
    """Message for the model; none when there is nothing new to say."""

    seconds: float = 0.0


class FixFiles(Frozen):
    """Let the checks' own fixers mend what they can in the files that the work changed."""

    session: SessionId
    turn: int
    binding: SandboxBinding
    command_id: CommandId
    plan: CheckPlan
    files: tuple[str, ...] = Field(max_length=200)


class FilesFixed(Frozen):
    """What the fixers changed."""

    kind: Literal["fixed"] = "fixed"
    session: SessionId
    turn: int
    changed: tuple[str, ...] = Field(default=(), max_length=200)
