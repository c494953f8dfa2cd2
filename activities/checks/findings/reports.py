"""Reports of findings: what one says as a whole, and its place in the store.

A report is named by its content, so keeping one twice changes nothing.
"""

from collections import Counter
from collections.abc import Iterable

from runtime.reviews import report_key
from runtime.store.base import Store, sha256
from workflows.contract.base import Sha256
from workflows.contract.findings import (
    FindingKind,
    FindingReport,
    Severity,
    TestCounts,
    TestOutcome,
)


async def keep_report(store: Store, report: FindingReport) -> Sha256:
    """Keep a report and return its name; equal reports have one name.

    Raises:
        OSError: the store cannot be asked; the same call may succeed later.
    """
    data = report.model_dump_json().encode("utf-8", "replace")
    name = sha256(data)
    await store.create_async(report_key(name), data)
    return name


async def read_report(store: Store, name: Sha256) -> FindingReport:
    """Return a kept report.

    Raises:
        MissingObjectError: none was kept under this name.
        OSError: the store cannot be asked.
    """
    return FindingReport.model_validate_json(await store.read_async(report_key(name)))


def is_unrunnable(report: FindingReport) -> bool:
    """Tell whether the check could not be run, or told nothing that can be read."""
    return any(finding.kind is FindingKind.ENVIRONMENT for finding in report.findings)


def has_failure(report: FindingReport) -> bool:
    """Tell whether it holds an error or a failed test."""
    if TestOutcome.FAILED in report.tests.values() or report.tests_left_out.failed:
        return True
    return any(finding.severity is Severity.ERROR for finding in report.findings)


def counted(outcomes: Iterable[TestOutcome]) -> TestCounts:
    """Count outcomes."""
    counts = Counter(outcomes)
    return TestCounts(
        passed=counts[TestOutcome.PASSED],
        failed=counts[TestOutcome.FAILED],
        skipped=counts[TestOutcome.SKIPPED],
    )


def tests_of(report: FindingReport) -> TestCounts:
    """Count all its tests, those too that were left out."""
    kept, left_out = counted(report.tests.values()), report.tests_left_out
    return TestCounts(
        passed=kept.passed + left_out.passed,
        failed=kept.failed + left_out.failed,
        skipped=kept.skipped + left_out.skipped,
    )
