"""What runs of checks said, read and made whole: a run that says nothing proves nothing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from activities.checks.findings.fingerprints import identified
from activities.checks.findings.reports import is_unrunnable
from workflows.contract.checks import CheckFacts, CheckSpec
from workflows.contract.findings import Finding, FindingKind, FindingReport, TestCounts


class Evidence(NamedTuple):
    """What one run of a check said."""

    check: str
    kind: FindingKind
    passed: bool
    runnable: bool
    report: FindingReport
    tests: TestCounts = TestCounts()


def evidence_of(
    result: CheckFacts, checks: Iterable[CheckSpec], report: FindingReport | None
) -> Evidence:
    """Put a result together with its report; without one it must have passed."""
    kinds = {check.name: check.kind for check in checks}
    kind = kinds.get(result.name, FindingKind.BUILD)
    if report is None and not result.passed:
        return silent(result.name, kind, "did not pass and left no report")
    report = report or FindingReport(check=result.name)
    runnable = result.runnable and not is_unrunnable(report)
    passed = result.passed and runnable
    tests = result.tests or TestCounts()
    return Evidence(result.name, kind, passed, runnable, report, tests)


def complete(checks: Iterable[CheckSpec], found: Sequence[Evidence]) -> Iterator[Evidence]:
    """Return what was found, and for each check without a result that it was not run."""
    yield from found
    there = {each.check for each in found}
    for check in checks:
        if check.name not in there:
            yield silent(check.name, check.kind, "was not run")


def silent(check: str, kind: FindingKind, why: str) -> Evidence:
    """Return what is known of a check that could not be run."""
    finding = Finding(check=check, kind=FindingKind.ENVIRONMENT, rule="no-report", message=why)
    report = FindingReport(check=check, findings=(identified(finding),))
    return Evidence(check, kind, passed=False, runnable=False, report=report)
