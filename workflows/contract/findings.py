"""Located problems that checks report, and what all checks of some work found.

Findings are many and large: they stand in the store, and workflows carry counts and names.
"""

from enum import StrEnum

from pydantic import Field

from workflows.contract.base import Frozen

DETAIL_CHARACTERS = 1_500
MESSAGE_CHARACTERS = 500
FINDINGS_LIMIT = 20_000
TESTS_LIMIT = 100_000
"""Findings and tests kept of one run of one check; the report says how many more there were."""


class FindingKind(StrEnum):
    """What sort of problem it is; in the order in which they are worth looking at."""

    ENVIRONMENT = "environment"
    """A check could not be run, or its report could not be read: nothing is known to be sound."""

    INTEGRITY = "integrity"
    """The work changes what judges it: tests, suppressions, configuration of checks."""

    COMPILE = "compile"
    BUILD = "build"
    TYPE = "type"
    TEST = "test"
    SECURITY = "security"
    LINT = "lint"
    FORMAT = "format"


class Severity(StrEnum):
    """How bad the tool that found it says it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class FindingState(StrEnum):
    """How a finding stands to the base commit and to the round of judging before."""

    NEW = "new"
    CHANGED = "changed"
    """It was there at the base or the round before, and says something else now."""

    PERSISTING = "persisting"
    """Not there at the base, but in the round before."""

    FIXED = "fixed"
    PRE_EXISTING = "pre_existing"
    FLAKY = "flaky"
    """A test shown to fail now and then at the base commit too."""


BLOCKING = frozenset({FindingState.NEW, FindingState.CHANGED, FindingState.PERSISTING})
"""States that keep a turn from finishing."""


class Finding(Frozen):
    """One problem at one place."""

    check: str = Field(max_length=100)
    kind: FindingKind
    severity: Severity = Severity.ERROR
    rule: str = Field(default="", max_length=200)
    """What the tool calls this kind of problem; the exception's class for a failed test."""

    path: str = Field(default="", max_length=500)
    """From the top folder, with `/`; empty when there is none inside the workspace."""

    line: int = Field(default=0, ge=0)
    """From 1; 0 when it is not known."""

    column: int = Field(default=0, ge=0)
    message: str = Field(max_length=MESSAGE_CHARACTERS)
    snippet: str = Field(default="", max_length=300)
    """The source line, without the space around it."""

    detail: str = Field(default="", max_length=DETAIL_CHARACTERS)
    """More for the model: the end of a traceback, a diff."""

    test_id: str = Field(default="", max_length=500)
    """Names a test as its runner takes it, such as `tests/test_a.py::test_b[1]`."""

    fixable: bool = False
    """The tool offers to mend it by itself."""

    fingerprint: str = Field(default="", max_length=40)
    """Stays the same when lines move; 40 hexadecimal digits once it is known."""


class TestOutcome(StrEnum):
    """What became of one test."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Also expected failures: neither says that anything works."""


class TestCounts(Frozen):
    """How many tests ended how."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def ran(self) -> int:
        """Count those that said something."""
        return self.passed + self.failed


class FindingReport(Frozen):
    """All that one run of a check said, as data; kept in the store under its content's hash."""

    check: str
    findings: tuple[Finding, ...] = Field(default=(), max_length=FINDINGS_LIMIT + 1)
    tests: dict[str, TestOutcome] = Field(default={})
    """By test id; empty for what is no test runner."""

    left_out: int = 0
    """Findings beyond the limit."""

    tests_left_out: TestCounts = TestCounts()
    """Tests beyond the limit; those that failed are kept before all others."""


class FindingCounts(Frozen):
    """How many findings are in which state."""

    new: int = 0
    changed: int = 0
    persisting: int = 0
    fixed: int = 0
    pre_existing: int = 0
    flaky: int = 0

    @property
    def blocking(self) -> int:
        """Count those that keep a turn from finishing."""
        return self.new + self.changed + self.persisting
