"""What runs of checks said, made for tests of comparing and judging."""

from collections.abc import Mapping, Sequence

from activities.checks.findings.fingerprints import located
from activities.checks.judging.evidence import Evidence
from workflows.contract.findings import (
    Finding,
    FindingKind,
    FindingReport,
    Severity,
    TestCounts,
    TestOutcome,
)

PASSED, FAILED, SKIPPED = TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.SKIPPED
Sources = Mapping[str, Sequence[str]]


def lint(
    path: str = "a.py",
    line: int = 1,
    *,
    rule: str = "F401",
    message: str = "unused import",
    severity: Severity = Severity.ERROR,
) -> Finding:
    """Make a linter's finding."""
    return Finding(
        check="lint",
        kind=FindingKind.LINT,
        severity=severity,
        rule=rule,
        path=path,
        line=line,
        message=message,
    )


def failure(test: str, message: str = "assert 3 == 4") -> Finding:
    """Make a failed test's finding."""
    return Finding(
        check="tests",
        kind=FindingKind.TEST,
        rule="AssertionError",
        path=test.partition("::")[0],
        line=4,
        message=message,
        test_id=test,
    )


def trouble(check: str = "tests", rule: str = "timeout") -> Finding:
    """Make the finding of a check that could not be run."""
    return Finding(check=check, kind=FindingKind.ENVIRONMENT, rule=rule, message=f"{rule} it was")


def linted(
    *findings: Finding, sources: Sources | None = None, passed: bool | None = None
) -> Evidence:
    """Make what a linter said; it fails when it finds something."""
    report = located(FindingReport(check="lint", findings=findings), sources or {})
    is_sound = not findings if passed is None else passed
    return Evidence("lint", FindingKind.LINT, is_sound, runnable=True, report=report)


def suite(
    outcomes: Mapping[str, TestOutcome], *others: Finding, messages: Mapping[str, str] | None = None
) -> Evidence:
    """Make what a test runner said; each failed test has a finding."""
    failed = [test for test, outcome in outcomes.items() if outcome is FAILED]
    said = messages or {}
    findings = [failure(test, said.get(test, "assert 3 == 4")) for test in failed]
    report = FindingReport(check="tests", findings=(*findings, *others), tests=dict(outcomes))
    return Evidence(
        "tests",
        FindingKind.TEST,
        passed=not failed and not others,
        runnable=all(each.kind is not FindingKind.ENVIRONMENT for each in others),
        report=located(report, {}),
        tests=counted(outcomes),
    )


def counted(outcomes: Mapping[str, TestOutcome]) -> TestCounts:
    """Count outcomes."""
    values = list(outcomes.values())
    return TestCounts(
        passed=values.count(PASSED), failed=values.count(FAILED), skipped=values.count(SKIPPED)
    )
