"""Findings while a report is read: bounded, of the right types, with paths inside the workspace."""

from collections import Counter
from typing import NamedTuple

from activities.checks.findings.fingerprints import Mark, Sources, marks
from activities.checks.findings.inert import cut, inert, one_line
from activities.checks.findings.reports import counted
from activities.checks.readers.wire import Paths, text, whole
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import (
    DETAIL_CHARACTERS,
    FINDINGS_LIMIT,
    MESSAGE_CHARACTERS,
    TESTS_LIMIT,
    FindingKind,
    FindingReport,
    Severity,
    TestOutcome,
)

RULE_CHARACTERS = 200
LOOKED_AT_LIMIT = 2 * FINDINGS_LIMIT
MENTIONED_LIMIT = 200
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


class Draft(NamedTuple):
    """One problem with values as findings have them; its snippet and fingerprint come last.

    Of many findings most of the cost is to build them, so that they are built once.
    """

    check: str
    kind: FindingKind
    severity: Severity
    rule: str
    path: str
    line: int
    column: int
    message: str
    detail: str
    test_id: str
    fixable: bool


_FIELDS = (*Draft._fields, *Mark._fields)


class Gathering:
    """What one reader found so far, for one check."""

    def __init__(self, spec: CheckSpec, workspace: str) -> None:
        self.spec = spec
        self.paths = Paths(workspace)
        self.findings: list[Draft] = []
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
            self.findings.append(self._draft(hit))

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
        self.findings.insert(0, self._draft(hit))

    def tell(self, test_id: str, outcome: TestOutcome) -> bool:
        """Keep a test's outcome and say whether it is its first failure.

        Of several, failed wins over passed, and passed over skipped.
        """
        before = self.tests.get(test_id)
        if before is TestOutcome.FAILED:
            return False
        if outcome is TestOutcome.FAILED or before is not TestOutcome.PASSED:
            self.tests[test_id] = outcome
        return outcome is TestOutcome.FAILED

    def mentioned(self) -> tuple[str, ...]:
        """Return the paths whose source lines are wanted for snippets, most mentioned first."""
        counts = Counter(draft.path for draft in self.findings if draft.path and draft.line)
        return tuple(path for path, _ in counts.most_common(MENTIONED_LIMIT))

    def report(self, sources: Sources) -> FindingReport:
        """Return all that was found; what is said of sources that are missing has no snippet."""
        marked = zip(self.findings, marks(self.findings, sources), strict=True)
        # One after the other: thousands of them at once keep the garbage collector busy.
        found = (dict(zip(_FIELDS, (*draft, *mark), strict=True)) for draft, mark in marked)
        tests, more = _bounded(self.tests)
        return FindingReport.model_validate(
            {
                "check": self.spec.name,
                "findings": found,
                "tests": tests,
                "left_out": self._left_out,
                "tests_left_out": counted(more.values()),
            }
        )

    def _draft(self, hit: Hit) -> Draft:
        rule = one_line(text(hit.rule), RULE_CHARACTERS)
        kind = FindingKind.COMPILE if rule in SYNTAX_RULES else self.spec.kind
        message = one_line(text(hit.message), MESSAGE_CHARACTERS)
        is_whole_file = rule in WHOLE_FILE_RULES
        return Draft(  # by place, which takes half the time
            self.spec.name,
            hit.kind or kind,
            hit.severity,
            rule,
            hit.path,
            0 if is_whole_file else whole(hit.line),
            0 if is_whole_file else whole(hit.column),
            message or rule or "failed",
            _detail(hit.detail) if hit.detail else "",
            hit.test_id,
            hit.fixable,
        )


def _bounded(
    tests: dict[str, TestOutcome],
) -> tuple[dict[str, TestOutcome], dict[str, TestOutcome]]:
    """Split tests into as many as a report holds, those that failed first, and the rest."""
    if len(tests) <= TESTS_LIMIT:
        return tests, {}
    ordered = sorted(tests.items(), key=lambda each: each[1] is not TestOutcome.FAILED)
    return dict(ordered[:TESTS_LIMIT]), dict(ordered[TESTS_LIMIT:])


def _detail(text: str) -> str:
    return cut(inert(text[: 2 * DETAIL_CHARACTERS]), DETAIL_CHARACTERS)
