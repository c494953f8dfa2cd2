"""Findings while a report is read: bounded, of the right types, with paths inside the workspace."""

from typing import NamedTuple

from activities.checks.readers.inert import cut, inert, one_line
from activities.checks.readers.wire import Paths, text, whole
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import (
    DETAIL_CHARACTERS,
    FINDINGS_LIMIT,
    MESSAGE_CHARACTERS,
    Finding,
    FindingKind,
    FindingReport,
    Severity,
    TestOutcome,
)

RULE_CHARACTERS = 200
LOOKED_AT_LIMIT = 2 * FINDINGS_LIMIT
SYNTAX_RULES = frozenset(
    {"invalid-syntax", "syntax", "syntax-error", "E999", "E902", "E0001", "SyntaxError"}
)
"""What tools call code that does not parse: no linter's or type checker's matter."""

WHOLE_FILE_RULES = frozenset(
    {"missing-module-docstring", "C0114", "D100", "D104", "INP001", "unformatted"}
)
"""What holds of a file as a whole: the line that a tool names for it says nothing."""


class UnreadableError(ValueError):
    """A report that cannot be read, for the reason that is its text."""


class Hit(NamedTuple):
    """One problem as its report tells it; nothing is bounded yet, and numbers may be anything."""

    message: object
    path: str = ""
    """From the top folder already."""

    line: object = 0
    column: object = 0
    rule: object = ""
    severity: Severity = Severity.ERROR
    kind: FindingKind | None = None
    """None for the kind of the check."""

    detail: str = ""
    test_id: str = ""
    fixable: bool = False


class Gathering:
    """What one reader found so far, for one check."""

    def __init__(self, spec: CheckSpec, workspace: str) -> None:
        self.spec = spec
        self.paths = Paths(workspace)
        self.findings: list[Finding] = []
        self.tests: dict[str, TestOutcome] = {}
        self._left_out = 0

    @property
    def is_full(self) -> bool:
        """Say whether further findings are only counted."""
        return len(self.findings) >= FINDINGS_LIMIT

    def add(self, hit: Hit) -> None:
        """Keep one problem, or count it when there are too many."""
        if self.is_full:
            self._left_out += 1
        else:
            self.findings.append(self._finding(hit))

    def bounded(self, values: list[object]) -> list[object]:
        """Return the values that are worth looking at, and count the rest as left out."""
        kept = values[:LOOKED_AT_LIMIT]
        self._left_out += len(values) - len(kept)
        return kept

    def forget(self) -> None:
        """Drop all, because it stands in something that cannot be trusted to be whole."""
        self.findings.clear()
        self.tests.clear()
        self._left_out = 0

    def add_first(self, hit: Hit) -> None:
        """Put one problem before all others, whose limit does not count for it."""
        self.findings.insert(0, self._finding(hit))

    def tell(self, test_id: str, outcome: TestOutcome) -> bool:
        """Keep a test's outcome and say whether it is its first failure.

        Of several, failed wins over passed, and passed over skipped.
        """
        before = self.tests.get(test_id)
        if before is None and len(self.tests) >= FINDINGS_LIMIT:
            return outcome is TestOutcome.FAILED
        if before is TestOutcome.FAILED:
            return False
        if outcome is TestOutcome.FAILED or before is not TestOutcome.PASSED:
            self.tests[test_id] = outcome
        return outcome is TestOutcome.FAILED

    def report(self) -> FindingReport:
        """Return all that was found."""
        return FindingReport(
            check=self.spec.name,
            findings=tuple(self.findings),
            tests=self.tests,
            left_out=self._left_out,
        )

    def _finding(self, hit: Hit) -> Finding:
        rule = one_line(text(hit.rule), RULE_CHARACTERS)
        kind = FindingKind.COMPILE if rule in SYNTAX_RULES else self.spec.kind
        message = one_line(text(hit.message), MESSAGE_CHARACTERS)
        is_whole_file = rule in WHOLE_FILE_RULES
        return Finding(
            check=self.spec.name,
            kind=hit.kind or kind,
            severity=hit.severity,
            rule=rule,
            path=hit.path,
            line=0 if is_whole_file else whole(hit.line),
            column=0 if is_whole_file else whole(hit.column),
            message=message or rule or "failed",
            detail=_detail(hit.detail) if hit.detail else "",
            test_id=hit.test_id,
            fixable=hit.fixable,
        )


def _detail(text: str) -> str:
    return cut(inert(text[: 2 * DETAIL_CHARACTERS]), DETAIL_CHARACTERS)
