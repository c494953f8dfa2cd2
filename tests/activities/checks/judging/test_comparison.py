"""What was there before is told from what is not, and what fails is never explained away."""

import pytest

from activities.checks.judging.comparison import Judged, compare
from activities.checks.judging.evidence import Evidence
from tests.activities.checks.judging.evidences import (
    FAILED,
    PASSED,
    SKIPPED,
    failure,
    lint,
    linted,
    suite,
    trouble,
)
from workflows.contract.findings import Finding, FindingKind, FindingReport, FindingState, Severity

NEW, CHANGED, PERSISTING = FindingState.NEW, FindingState.CHANGED, FindingState.PERSISTING
OLD, FIXED = FindingState.PRE_EXISTING, FindingState.FIXED
A = "tests/test_a.py::test_a"


def states(judged: list[Judged]) -> list[FindingState]:
    return sorted(each.state for each in judged)


def test_a_finding_of_the_base_is_pre_existing_and_another_is_new():
    """The same rule in another file is another finding."""
    base = linted(lint("a.py"))
    assert states(compare(linted(lint("a.py")), base, [])) == [OLD]
    assert states(compare(linted(lint("b.py")), base, [])) == [FIXED, NEW]
    assert states(compare(linted(), base, [])) == [FIXED]


def test_shifted_lines_change_no_state():
    """Twenty lines above every finding: nothing new, nothing fixed."""
    lines = [f"import m{n}" for n in range(14)]
    findings = [lint("a.py", n + 1, message=f"`m{n}` unused") for n in range(14)]
    moved = [each.model_copy(update={"line": each.line + 20}) for each in findings]
    base = linted(*findings, sources={"a.py": lines})
    now = linted(*moved, sources={"a.py": ["x = 1"] * 20 + lines})
    assert states(compare(now, base, [])) == [OLD] * 14


def test_of_equal_findings_only_more_than_before_are_new():
    """Three at the base and four now are one new one."""
    base = linted(*(lint(line=n) for n in (1, 2, 3)), sources={"a.py": ["import x"] * 9})
    now = linted(*(lint(line=n) for n in (1, 2, 3, 4)), sources={"a.py": ["import x"] * 9})
    assert states(compare(now, base, [])) == [NEW, OLD, OLD, OLD]
    assert states(compare(base, now, [])) == [FIXED, OLD, OLD, OLD]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (FindingKind.LINT, OLD),
        (FindingKind.FORMAT, OLD),
        (FindingKind.TYPE, OLD),
        (FindingKind.COMPILE, CHANGED),
        (FindingKind.BUILD, CHANGED),
        (FindingKind.SECURITY, CHANGED),
    ],
)
def test_an_edited_line_keeps_its_old_problem(kind: FindingKind, state: FindingState):
    """It blocks only where the problem keeps the rest from being known, or is grave."""
    finding = lint().model_copy(update={"kind": kind})
    base = linted(finding, sources={"a.py": ["import os"]})
    now = linted(finding, sources={"a.py": ["import os as system"]})
    assert states(compare(now, base, [])) == [state]


def test_an_edited_line_with_a_graver_problem_is_changed():
    """A warning that became an error was not there like this."""
    base = linted(lint(severity=Severity.WARNING), sources={"a.py": ["import os"]})
    now = linted(lint(), sources={"a.py": ["import re"]})
    assert states(compare(now, base, [])) == [CHANGED]


def test_notes_never_block_and_warnings_only_where_the_check_fails():
    """A linter that exits with 0 does not mind its warnings."""
    note, warning = lint(severity=Severity.NOTE), lint("b.py", severity=Severity.WARNING)
    assert compare(linted(note, warning, passed=True), linted(), []) == []
    assert states(compare(linted(note, warning), linted(), [])) == [NEW]
    fixed = compare(linted(passed=True), linted(note, warning), [])
    assert [each.finding.path for each in fixed] == ["b.py"]


def test_a_warning_that_is_still_there_is_not_fixed():
    """That the check passes now does not make it go away."""
    warning = lint(severity=Severity.WARNING)
    assert compare(linted(warning, passed=True), linted(warning), []) == []


def test_a_failing_check_that_explains_nothing_blocks():
    """Whether it is silent, or tells only what it told when it passed."""
    assert states(compare(linted(passed=False), linted(), [])) == [NEW]
    warning = lint(severity=Severity.WARNING)
    found = compare(linted(warning), linted(warning, passed=True), [])
    assert states(found) == [NEW, OLD]
    assert {each.finding.rule for each in found if each.state is NEW} == {"unexplained"}
    again = compare(linted(passed=False), linted(), [each.finding for each in found])
    assert PERSISTING in states(again)


def test_a_failing_check_without_a_base_is_new_whatever_it_tells():
    """Nothing is known that could excuse it."""
    assert states(compare(linted(lint()), None, [])) == [NEW]


def test_findings_that_were_not_kept_block():
    """Among more than can be compared, something new could hide."""
    many = linted(lint())
    report = many.report.model_copy(update={"left_out": 5})
    found = compare(many._replace(report=report), many, [])
    assert {(each.state, each.finding.rule) for each in found} == {(OLD, "F401"), (NEW, "left-out")}


TESTS: dict[str, tuple[Evidence, Evidence, list[FindingState]]] = {
    "breaks": (suite({A: PASSED}), suite({A: FAILED}), [NEW]),
    "fails as before": (suite({A: FAILED}), suite({A: FAILED}), [OLD]),
    "fails with other numbers": (
        suite({A: FAILED}, messages={A: "assert 3 == 4 in <C at 0x7f00>"}),
        suite({A: FAILED}, messages={A: "assert 3 == 5 in <C at 0x6e00>"}),
        [OLD],
    ),
    "fails otherwise": (
        suite({A: FAILED}),
        suite({A: FAILED}, messages={A: "no attribute 'x'"}),
        [CHANGED],
    ),
    "is mended": (suite({A: FAILED}), suite({A: PASSED}), [FIXED]),
    "is new and fails": (suite({}), suite({A: FAILED}), [NEW]),
    "was skipped and fails": (suite({A: SKIPPED}), suite({A: FAILED}), [NEW]),
    "failed and is skipped": (suite({A: FAILED}), suite({A: SKIPPED}), []),
    "failed and is gone": (suite({A: FAILED}), suite({}), []),
}


@pytest.mark.parametrize("name", TESTS)
def test_a_test_is_known_by_its_id(name: str):
    """What it said before decides whether it is the same failure; only passing mends it."""
    base, now, expected = TESTS[name]
    assert states(compare(now, base, [])) == expected


def test_a_failed_test_that_no_finding_describes_blocks():
    """The outcome alone says enough."""
    now = suite({A: PASSED})
    report = now.report.model_copy(update={"tests": {A: FAILED}})
    (found,) = compare(now._replace(passed=False, report=report), now, [])
    assert (found.state, found.finding.test_id, found.finding.path) == (NEW, A, "tests/test_a.py")


def test_the_round_before_tells_new_from_persisting_and_changed():
    """A mended finding of the round before is fixed, though the base never had it."""
    before = [*linted(lint("a.py"), lint("b.py")).report.findings]
    now = linted(lint("a.py"), lint("c.py"))
    assert states(compare(now, linted(), before)) == [FIXED, NEW, PERSISTING]
    told = [*suite({A: FAILED}).report.findings]
    again = suite({A: FAILED}, messages={A: "another reason"})
    assert states(compare(again, suite({A: PASSED}), told)) == [CHANGED]
    assert states(compare(suite({A: FAILED}), suite({A: PASSED}), told)) == [PERSISTING]


def test_findings_of_other_checks_are_not_this_one_s():
    """A report of a round holds those of all checks."""
    told = [*suite({A: FAILED}).report.findings]
    assert compare(linted(), linted(), told) == []


@pytest.mark.parametrize(
    ("base", "now", "expected"),
    [
        (suite({A: PASSED}), suite({}, trouble()), [NEW]),
        (suite({}, trouble()), suite({}, trouble()), [OLD]),
        (suite({}, trouble(rule="not-found")), suite({}, trouble(rule="timeout")), [NEW]),
        (suite({A: FAILED}), suite({}, trouble()), [NEW]),
        (suite({}, trouble()), suite({A: PASSED}), [FIXED]),
    ],
)
def test_a_check_that_cannot_be_run(base: Evidence, now: Evidence, expected: list[FindingState]):
    """Blocks unless it could not be run for that reason before; and nothing is fixed by it."""
    assert states(compare(now, base, [])) == expected


def opaque(detail: str) -> Evidence:
    finding = Finding(check="lint", kind=FindingKind.BUILD, message="exits with 1", detail=detail)
    report = FindingReport(check="lint", findings=(finding,))
    return linted(*report.findings)


@pytest.mark.parametrize(
    ("detail", "state"),
    [
        ("make: a.o\nfailed in 3.1 s\n/tmp/x1", OLD),
        ("make: a.o", OLD),
        ("…rest\nmake: a.o", OLD),
        ("make: a.o\nmake: b.o", CHANGED),
    ],
)
def test_output_that_nobody_understands_must_say_nothing_more(detail: str, state: FindingState):
    """Else something else may be broken now, though it all looks alike."""
    base = opaque("make: a.o\nfailed in 2.7 s\n/tmp/x2")
    assert states(compare(opaque(detail), base, [])) == [state]


def test_failures_of_other_tests_do_not_pair():
    """Two tests that fail with one message are two."""
    base = suite({A: FAILED, f"{A}_b": PASSED})
    found = compare(suite({A: PASSED, f"{A}_b": FAILED}), base, [])
    assert {(each.state, each.finding.test_id) for each in found} == {(FIXED, A), (NEW, f"{A}_b")}
    assert failure(A).check == "tests"
