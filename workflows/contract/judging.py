"""The judgement of some work: what is known about it, and what is told to the model and people."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from workflows.contract.base import CommitSha, Frozen, PromptId, SessionId, Sha256
from workflows.contract.checks import Baseline, CheckFacts, CheckPlan
from workflows.contract.findings import FindingCounts, TestCounts
from workflows.contract.sandbox import Repository, WorkBundle

SHOWN_FINDINGS = 8
SHOWN_CHARACTERS = 240


class Verdict(StrEnum):
    """What the gate says of work."""

    GREEN = "green"
    """Every check passes, nothing that judges was weakened."""

    NO_WORSE = "no_worse"
    """A check fails, but with nothing that was not there at the base commit."""

    UNVERIFIED = "unverified"
    """Nothing is found that the model could mend, but a check could not be run."""

    UNCHECKED = "unchecked"
    """The repository has no checks."""

    UNCHANGED = "unchanged"
    """Nothing was changed."""

    RED = "red"
    """Findings stand that were not there at the base commit."""


class Examine(Frozen):
    """Look at what the work changes of that which judges it; on the host, in the bare mirror."""

    session: SessionId
    turn: int
    repository: Repository
    base: CommitSha
    work: WorkBundle
    plan: CheckPlan


class Examination(Frozen):
    """What the work changes, as far as the gate must know it."""

    kind: Literal["examination"] = "examination"
    session: SessionId
    turn: int
    files: tuple[str, ...] = Field(default=(), max_length=200)
    """Changed files, the first 200, of at most 8,000 bytes in all."""

    is_cut: bool = False
    """Whether more files are changed than are named here."""

    original: tuple[str, ...] = Field(default=(), max_length=200)
    """Files of tests that the work changed, removed or, if they steer other tests, added."""

    findings: int = 0
    report: Sha256
    """Object with a `FindingReport` of integrity findings."""


class JudgeWork(Frozen):
    """Compare what the checks say of the work with what they say of its base."""

    session: SessionId
    turn: int
    round: int
    """Counts the judgements of the turn from 1."""

    prompt: PromptId
    """Of the turn: failures that its text names must be mended."""

    repository: Repository | None = None
    """Where source lines are read from for the message; without it there are none."""

    base: CommitSha
    work: WorkBundle
    plan: CheckPlan
    baseline: Baseline
    examination: Examination
    results: tuple[CheckFacts, ...] = Field(max_length=8)
    original: tuple[CheckFacts, ...] = Field(default=(), max_length=8)
    """The test runners again, with the tests as they were at the base commit."""

    alone: tuple[CheckFacts, ...] = Field(default=(), max_length=8)
    """The suspects of an earlier judgement of this round again, alone, with the work."""

    alone_at_base: tuple[CheckFacts, ...] = Field(default=(), max_length=8)
    """The suspects again, alone, at the base commit: only a failure there makes one flaky."""

    previous: Sha256 | None = None
    """Object with the `FindingReport` of the round before."""

    call_id: str | None = None
    """The call that the message answers; a message of its own when there is none."""


class Suspect(Frozen):
    """A test that fails and may be flaky: worth running again, alone."""

    check: str
    test: str
    """As its runner names it."""


class Judgement(Frozen):
    """What is known of the work after all checks; a verdict follows from it by rule."""

    kind: Literal["judgement"] = "judgement"
    session: SessionId
    turn: int
    round: int
    tree: str
    """Of the work that was judged."""

    counts: FindingCounts
    named: int = 0
    """Pre-existing failures that the prompt names; they block too."""

    fixable: int = 0
    """Blocking findings that the checks' own fixers may mend."""

    failing: int = 0
    """Checks that do not pass, for whatever reason."""

    unrunnable: tuple[str, ...] = Field(default=(), max_length=8)
    """Checks that could not be run, or whose report could not be read."""

    tests: TestCounts = TestCounts()
    tests_at_base: TestCounts = TestCounts()
    blocking: str
    """Hash of the set of blocking fingerprints: the same set twice is no progress."""

    remaining: str = ""
    """Hash of the set of pre-existing failures that still stand."""

    suspects: tuple[Suspect, ...] = Field(default=(), max_length=5)
    """Those of all checks; none when they are more."""

    shown: tuple[str, ...] = Field(default=(), max_length=SHOWN_FINDINGS)
    """One line for each of the first findings, for people, at most 240 characters."""

    files: tuple[str, ...] = Field(default=(), max_length=200)
    """Changed files, for fixers."""

    report: Sha256
    """Object with the `FindingReport` of all findings that block."""

    message: Sha256
    """Message for the model."""


class VerdictGiven(Frozen):
    """The newest verdict, as a session keeps and shows it."""

    verdict: Verdict
    round: int
    tree: str
    counts: FindingCounts = FindingCounts()
    tests: TestCounts = TestCounts()
    tests_at_base: TestCounts = TestCounts()
    shown: tuple[str, ...] = Field(default=(), max_length=SHOWN_FINDINGS)
    why: str = Field(default="", max_length=300)
    """One sentence for people."""


class GateState(Frozen):
    """What the gate remembers within a turn."""

    rounds: int = 0
    """Judgements given."""

    refusals: int = 0
    """Times that the model wanted to finish and could not."""

    blocking: tuple[str, ...] = Field(default=(), max_length=20)
    """Hashes of the blocking sets of the last judgements, oldest first."""

    report: Sha256 | None = None
    """Object with the findings of the last judgement."""

    remaining_told: bool = False
    """Whether the model was told of failures that were there before."""

    red_tree: str = ""
    """Tree found red in this turn: it gets no second chance until a person has spoken."""

    began_tree: str = ""
    """Tree that was red already when the turn began."""

    failures: int = 0
    """Times that the work could not be judged."""

    edited: tuple[str, ...] = Field(default=(), max_length=16)
    """Files edited since the last quick check."""

    told: str = ""
    """What the quick checks told last."""
