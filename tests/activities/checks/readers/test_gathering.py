"""What is gathered of a report stays within bounds, and counts what is beyond them."""

from collections.abc import Iterable

import pytest

from activities.checks.findings import reports
from activities.checks.readers.gathering import Gathering, Hit
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import (
    FINDINGS_LIMIT,
    TESTS_LIMIT,
    FindingReport,
    TestCounts,
    TestOutcome,
)

PASSED, FAILED, SKIPPED = TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.SKIPPED


@pytest.fixture
def into() -> Gathering:
    return Gathering(CheckSpec(name="tests", command="tests"), "/workspace")


def tell(into: Gathering, outcome: TestOutcome, numbers: Iterable[int]) -> None:
    for number in numbers:
        into.tell(f"test_a.py::test_{number}", outcome)


def test_the_files_most_mentioned_come_first_and_are_few(into: Gathering) -> None:
    """Without those of findings that name no line."""
    for path in [f"{number}.py" for number in range(300)] + ["a.py", "b.py", "a.py"]:
        into.add(Hit("m", path, 1))
    into.add(Hit("m", "none.py"))
    found = into.mentioned()
    assert found[0] == "a.py"
    assert len(found) == 200
    assert "none.py" not in found


def test_findings_beyond_the_limit_are_counted(into: Gathering) -> None:
    """The first ones are kept."""
    for number in range(FINDINGS_LIMIT + 3):
        into.add(Hit(f"m {number}"))
    found = into.report({})
    assert (len(found.findings), found.left_out) == (FINDINGS_LIMIT, 3)


def test_tests_beyond_the_limit_are_counted_truly(into: Gathering) -> None:
    """Each once, however often it is told of; those that failed are kept before all others."""
    tell(into, PASSED, range(TESTS_LIMIT))
    tell(into, SKIPPED, range(TESTS_LIMIT, TESTS_LIMIT + 4))
    tell(into, FAILED, range(TESTS_LIMIT + 4, TESTS_LIMIT + 6))
    tell(into, FAILED, range(TESTS_LIMIT + 4, TESTS_LIMIT + 6))
    tell(into, PASSED, range(10))
    found = into.report({})
    assert len(found.tests) == TESTS_LIMIT
    assert list(found.tests.values()).count(FAILED) == 2
    assert found.tests_left_out == TestCounts(passed=2, skipped=4)
    assert reports.tests_of(found) == TestCounts(passed=TESTS_LIMIT, failed=2, skipped=4)
    assert FindingReport.model_validate_json(found.model_dump_json()) == found


def test_a_report_within_the_limit_leaves_nothing_out(into: Gathering) -> None:
    """Its tests are in the order of the report."""
    tell(into, PASSED, [2, 1])
    tell(into, FAILED, [0])
    found = into.report({})
    assert list(found.tests.values()) == [PASSED, PASSED, FAILED]
    assert found.tests_left_out == TestCounts()
