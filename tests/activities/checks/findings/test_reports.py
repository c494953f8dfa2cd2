"""Reports are named by what they say."""

import pytest

from activities.checks.findings.reports import keep_report, read_report
from runtime.store.base import MissingObjectError, Store
from workflows.contract.base import Sha256
from workflows.contract.findings import Finding, FindingKind, FindingReport, TestOutcome


async def test_a_report_comes_back_whole(store: Store):
    """Keeping it twice changes nothing."""
    finding = Finding(check="a", kind=FindingKind.LINT, message="é\u0000\u2028", path="x")
    report = FindingReport(
        check="a", findings=(finding,), tests={"t[é]": TestOutcome.FAILED}, left_out=3
    )
    name = await keep_report(store, report)
    assert await keep_report(store, report) == name
    assert await read_report(store, name) == report
    assert await keep_report(store, FindingReport(check="a")) != name


async def test_a_report_that_was_not_kept_is_missing(store: Store):
    """It is not an empty one."""
    with pytest.raises(MissingObjectError):
        await read_report(store, Sha256("0" * 64))
