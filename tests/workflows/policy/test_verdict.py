"""What the gate says, and whether repairing leads anywhere, as tables."""

import pytest

from tests.fake_checks import PLAN
from tests.fakes import BASE, NODE
from workflows.contract.base import SessionId
from workflows.contract.checks import Baseline, CheckFacts
from workflows.contract.findings import FindingCounts, TestCounts
from workflows.contract.judging import Judgement, Verdict
from workflows.policy import verdict as rules
from workflows.policy.verdict import Progress

KNOWN = Baseline(
    session=SessionId("s"),
    commit=BASE,
    cached=False,
    seconds=0.0,
    results=(
        CheckFacts(name="pytest", passed=True, runnable=True, findings=0, tests=None, report=None),
    ),
)
UNKNOWN = KNOWN.model_copy(update={"results": ()})


def judgement(**facts: object) -> Judgement:
    return Judgement.model_validate(
        {
            "session": "s",
            "turn": 1,
            "round": 1,
            "tree": "t",
            "counts": FindingCounts(),
            "blocking": "",
            "report": NODE,
            "message": NODE,
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, Verdict.UNCHECKED),
        ({"counts": FindingCounts(new=1)}, Verdict.RED),
    ],
)
def test_without_checks_only_what_the_work_itself_shows_counts(
    facts: dict[str, object], verdict: Verdict
) -> None:
    """It is red for that, and else nobody knows."""
    plan = PLAN.model_copy(update={"checks": ()})
    assert rules.verdict_of(judgement(**facts), plan, UNKNOWN) is verdict


@pytest.mark.parametrize(
    ("facts", "baseline", "verdict"),
    [
        ({}, KNOWN, Verdict.GREEN),
        ({}, UNKNOWN, Verdict.UNVERIFIED),
        ({"counts": FindingCounts(new=1)}, KNOWN, Verdict.RED),
        ({"counts": FindingCounts(changed=1)}, KNOWN, Verdict.RED),
        ({"counts": FindingCounts(persisting=1)}, KNOWN, Verdict.RED),
        ({"counts": FindingCounts(fixed=1, flaky=1)}, KNOWN, Verdict.GREEN),
        ({"counts": FindingCounts(pre_existing=1), "failing": 1}, KNOWN, Verdict.NO_WORSE),
        ({"failing": 1, "named": 1}, KNOWN, Verdict.RED),
        ({"failing": 1, "unrunnable": ("mypy",)}, KNOWN, Verdict.UNVERIFIED),
        ({"counts": FindingCounts(new=1), "unrunnable": ("mypy",)}, UNKNOWN, Verdict.RED),
        ({"tests": TestCounts(passed=9)}, KNOWN, Verdict.GREEN),
        (
            {"tests": TestCounts(passed=8, skipped=1), "tests_at_base": TestCounts(passed=9)},
            KNOWN,
            Verdict.RED,
        ),
        (
            {"tests": TestCounts(passed=9), "tests_at_base": TestCounts(passed=7, failed=2)},
            KNOWN,
            Verdict.GREEN,
        ),
    ],
)
def test_green_is_never_said_of_less(
    facts: dict[str, object], baseline: Baseline, verdict: Verdict
) -> None:
    """Only when every check passes, nothing new stands, and no test was lost."""
    found = judgement(**facts)
    assert rules.verdict_of(found, PLAN, baseline) is verdict
    assert rules.explain(verdict, found)


@pytest.mark.parametrize(
    ("verdict", "tests", "at_base", "said"),
    [
        (
            Verdict.GREEN,
            TestCounts(),
            TestCounts(),
            "every check passes; no test results were reported",
        ),
        (
            Verdict.GREEN,
            TestCounts(passed=1),
            TestCounts(passed=1),
            "every check passes; the one test passes",
        ),
        (Verdict.GREEN, TestCounts(passed=9), TestCounts(), "every check passes; all 9 tests pass"),
        (
            Verdict.NO_WORSE,
            TestCounts(failed=1),
            TestCounts(failed=1),
            "nothing new; 0 findings of the base commit left; the one test fails",
        ),
        (
            Verdict.NO_WORSE,
            TestCounts(passed=3, failed=1),
            TestCounts(passed=3, failed=1),
            "nothing new; 0 findings of the base commit left; 3 of 4 tests pass",
        ),
        (
            Verdict.RED,
            TestCounts(),
            TestCounts(passed=1),
            "the one test of before was not run",
        ),
        (Verdict.RED, TestCounts(), TestCounts(passed=9), "none of 9 tests was run"),
        (Verdict.RED, TestCounts(passed=8), TestCounts(passed=9), "only 8 of 9 tests were run"),
    ],
)
def test_a_verdict_reads_well_for_any_number_of_tests(
    verdict: Verdict, tests: TestCounts, at_base: TestCounts, said: str
) -> None:
    """One is a number of tests too, and none."""
    assert rules.explain(verdict, judgement(tests=tests, tests_at_base=at_base)) == said


@pytest.mark.parametrize(
    ("history", "refusals", "progress"),
    [
        ("a", 1, Progress.GOING_ON),
        ("ab", 2, Progress.GOING_ON),
        ("aa", 2, Progress.NUDGE),
        ("aba", 3, Progress.NUDGE),
        ("aaa", 3, Progress.STUCK),
        ("ababa", 5, Progress.STUCK),
        ("abcdefgh", 8, Progress.GOING_ON),
        ("abcdefghij", 10, Progress.STUCK),
    ],
)
def test_the_same_findings_again_are_no_progress(
    history: str, refusals: int, progress: Progress
) -> None:
    """A nudge at the second time, a person at the third, and after ten refusals at any rate."""
    assert rules.assess(tuple(history), refusals) is progress
