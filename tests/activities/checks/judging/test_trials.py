"""Tests that are gone, skipped, changed, flaky or named by the task are told apart."""

import pytest

from activities.checks.judging import trials
from activities.checks.judging.comparison import compare
from activities.checks.judging.evidence import Evidence
from tests.activities.checks.judging.evidences import (
    FAILED,
    PASSED,
    SKIPPED,
    failure,
    lint,
    suite,
    trouble,
)
from workflows.contract.findings import (
    Finding,
    FindingKind,
    FindingState,
    TestCounts,
    TestOutcome,
)

A, B, C = (f"tests/test_a.py::test_{name}" for name in "abc")
D = "tests/test_d.py::test_d"
Outcomes = dict[str, TestOutcome]

MISSING: dict[str, tuple[Outcomes, Outcomes, list[str]]] = {
    "all run": ({A: PASSED, B: FAILED}, {A: FAILED, B: PASSED}, []),
    "one is gone": ({A: PASSED, B: PASSED}, {A: PASSED}, ["test-removed"]),
    "a failing one is gone": ({A: FAILED}, {B: PASSED}, ["test-removed"]),
    "one is skipped": ({A: PASSED}, {A: SKIPPED}, ["test-skipped"]),
    "a failing one is skipped": ({A: FAILED}, {A: SKIPPED}, ["test-skipped"]),
    "one was skipped before": ({A: SKIPPED}, {}, []),
    "two files": ({A: PASSED, D: PASSED}, {}, ["test-removed", "test-removed"]),
    "a new one": ({A: PASSED}, {A: PASSED, B: FAILED}, []),
    "names of cases vary": ({f"{A}[0x1]": PASSED}, {f"{A}[0x2]": PASSED}, []),
    "a case is gone": (
        {f"{A}[1]": PASSED, f"{A}[2]": PASSED},
        {f"{A}[1]": PASSED},
        ["test-removed"],
    ),
    "a case is skipped": (
        {f"{A}[1]": PASSED},
        {f"{A}[1]": SKIPPED, f"{A}[2]": PASSED},
        ["test-skipped"],
    ),
    "moved to another file": ({A: PASSED}, {"tests/unit/test_a.py::test_a": PASSED}, []),
    "moved and gone": (
        {A: PASSED, D: PASSED},
        {"tests/unit/test_a.py::test_a": PASSED},
        ["test-removed"],
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_tests_that_say_nothing_any_more(name: str):
    """Each file with such tests is one finding, which names them."""
    base, now, rules = MISSING[name]
    found = list(trials.missing(suite(now), suite(base)))
    assert [each.rule for each in found] == rules
    assert all("::" not in each.message and "test_" in each.message for each in found)


def broken(path: str) -> Finding:
    return lint(path).model_copy(update={"kind": FindingKind.COMPILE})


def test_files_that_cannot_be_collected_are_not_removed():
    """Their own findings say so, and pytest runs no test of any file then; a skip is still one."""
    base = suite({A: PASSED, C: PASSED, D: PASSED})
    assert list(trials.missing(suite({}, broken("tests/test_a.py")), base)) == []
    found = trials.missing(suite({D: SKIPPED}, broken("tests/test_a.py")), base)
    assert [each.rule for each in found] == ["test-skipped"]


def test_a_file_that_never_could_be_collected_hides_nothing():
    """Another file's tests are missed."""
    base = suite({A: PASSED, D: PASSED}, broken("tests/test_x.py"))
    now = suite({A: PASSED}, broken("tests/test_x.py"))
    assert [each.path for each in trials.missing(now, base)] == ["tests/test_d.py"]


def test_many_files_are_one_finding():
    """Hundreds of findings would say no more."""
    base = {f"tests/test_{n}.py::test_x": PASSED for n in range(50)}
    (found,) = trials.missing(suite({}), suite(base))
    assert "50 tests" in found.message
    assert "45 more" in found.message


def test_of_tests_beyond_what_is_kept_only_the_number_is_known():
    """A test that the report does not hold may have been run all the same."""
    base, now = suite({A: PASSED, B: PASSED}), cut(suite({A: PASSED}))
    assert list(trials.missing(now, base)) == []
    assert list(trials.only_when_changed(base, base, now._replace(tests=base.tests))) == []
    (found,) = trials.only_when_changed(base, base, now)
    assert (found.rule, found.message.partition(" as ")[0]) == (
        "original-test-silent",
        "only 1 of 2 tests ran",
    )


def test_a_failure_may_be_known_to_a_base_that_was_cut():
    """Nobody can say that the test is new, so it counts."""
    base, now, again = cut(suite({A: PASSED})), suite({B: PASSED}), suite({B: FAILED})
    found = list(trials.only_when_changed(now, base, again))
    assert [each.rule for each in found][:1] == ["original-test-fails"]


@pytest.mark.parametrize("count", [19_999, 20_000, 30_000])
def test_in_a_large_suite_each_test_counts(count: int):
    """One that makes room for another is missed, however many there are."""
    names = [f"tests/test_{number % 9}.py::test_{number}" for number in range(count)]
    base = suite(dict.fromkeys(names, PASSED))
    now = suite(dict.fromkeys([*names[1:], D], PASSED))
    (found,) = trials.missing(now, base)
    assert found.message == "1 test ran at the base commit and is gone: test_0"


def cut(evidence: Evidence) -> Evidence:
    """Say of a suite that its report left a skipped test out."""
    report = evidence.report.model_copy(update={"tests_left_out": TestCounts(skipped=1)})
    return evidence._replace(report=report)


CHANGED: dict[str, tuple[Evidence | None, Evidence, Evidence, list[str]]] = {
    "pass either way": (suite({A: FAILED}), suite({A: PASSED}), suite({A: PASSED}), []),
    "pass only when changed": (
        suite({A: FAILED}),
        suite({A: PASSED}),
        suite({A: FAILED}),
        ["original-test-fails"],
    ),
    "passed before": (
        suite({A: PASSED}),
        suite({A: PASSED}),
        suite({A: FAILED}),
        ["original-test-fails"],
    ),
    "were removed and fail": (
        suite({A: PASSED}),
        suite({}),
        suite({A: FAILED}),
        ["original-test-fails"],
    ),
    "fail either way": (suite({A: PASSED}), suite({A: FAILED}), suite({A: FAILED}), []),
    "are new and need the changes": (
        suite({A: PASSED}),
        suite({A: PASSED, B: PASSED}),
        suite({A: PASSED, B: FAILED}),
        [],
    ),
    "are other cases now": (
        suite({f"{A}[3]": FAILED}),
        suite({f"{A}[4]": PASSED}),
        suite({f"{A}[3]": FAILED}),
        ["original-test-fails"],
    ),
    "are silenced by the code": (
        suite({A: PASSED}),
        suite({A: PASSED}),
        suite({A: SKIPPED}),
        ["original-test-silent"],
    ),
    "are not collected as they were": (
        suite({A: PASSED, D: PASSED}),
        suite({A: PASSED, D: PASSED}),
        suite({D: PASSED}),
        ["original-test-silent"],
    ),
    "were unknown at the base": (
        suite({}, trouble()),
        suite({A: PASSED}),
        suite({A: FAILED}),
        ["original-test-fails"],
    ),
    "cannot be run as they were": (
        suite({A: PASSED}),
        suite({A: PASSED}),
        suite({}, trouble()),
        ["original-unrunnable"],
    ),
    "have no base at all": (
        None,
        suite({A: PASSED}),
        suite({A: FAILED}),
        ["original-test-fails"],
    ),
    "were marked and are mended": (
        suite({A: SKIPPED}),
        suite({A: PASSED}),
        suite({A: FAILED}),
        [],
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_holds_only_with_changed_tests(name: str):
    """The tests of the base decide, as they were."""
    base, now, again, rules = CHANGED[name]
    assert [each.rule for each in trials.only_when_changed(now, base, again)] == rules


def test_a_runner_without_outcomes_is_judged_as_a_whole():
    """All that is known is whether it passed."""
    passed, failed = suite({}), suite({}, lint())
    (found,) = trials.only_when_changed(passed, failed, failed)
    assert found.rule == "original-test-fails"
    assert list(trials.only_when_changed(passed, failed, passed)) == []
    assert list(trials.only_when_changed(failed, failed, failed)) == []


@pytest.mark.parametrize(
    ("alone", "at_base", "state"),
    [
        ([PASSED, PASSED], [PASSED, FAILED, PASSED], FindingState.FLAKY),
        ([PASSED, PASSED], [PASSED, PASSED, PASSED], FindingState.NEW),
        ([FAILED, FAILED], [FAILED, PASSED, PASSED], FindingState.NEW),
        ([PASSED], [], FindingState.NEW),
        ([], [], FindingState.NEW),
    ],
)
def test_only_a_failure_at_the_base_makes_a_flake(
    alone: list[TestOutcome], at_base: list[TestOutcome], state: FindingState
):
    """That it passes when it is run again is no excuse by itself."""
    found = compare(suite({A: FAILED}), suite({A: PASSED}), [])
    runs = [suite({A: outcome}) for outcome in alone]
    (judged,) = trials.flaky(found, runs, [suite({A: outcome}) for outcome in at_base])
    assert judged.state is state


def test_suspects_are_few_and_untouched():
    """They passed at the base, and the work left their files alone."""
    base = suite(dict.fromkeys((A, B, D), PASSED))
    now = suite({A: FAILED, B: PASSED, D: FAILED, C: FAILED})
    found = compare(now, base, [])
    assert trials.suspects(found, base, ["calc.py"]) == [A, D]
    assert trials.suspects(found, base, ["tests/test_a.py"]) == [D]
    many = dict.fromkeys((f"{D}{n}" for n in range(6)), PASSED)
    broken = compare(suite(dict.fromkeys(many, FAILED)), suite(many), [])
    assert trials.suspects(broken, suite(many), []) == []


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("please mend test_parse_date", True),
        ("`tests/test_dates.py` fails", True),
        ("look at test_dates.py", True),
        ("make test_dates pass", True),
        ("run tests/test_dates.py::TestA::test_parse_date[1]", True),
        ("test_parse_dates is slow", False),
        ("fix the failing tests", False),
        ("make the test pass", False),
        ("", False),
    ],
)
def test_the_task_names_a_test(prompt: str, expected: bool):  # noqa: FBT001
    """By its function or its file, as whole words."""
    finding = failure("tests/test_dates.py::TestA::test_parse_date[1]")
    assert trials.is_named(finding, prompt) is expected


@pytest.mark.parametrize("name", ["works", "a", "test"])
def test_a_word_that_is_also_a_test_names_none(name: str):
    """Else any prompt would name some test."""
    finding = failure(f"suite::{name}").model_copy(update={"path": ""})
    assert not trials.is_named(finding, f"see that it {name} well")


def test_only_tests_are_named():
    """Findings of linters have no names."""
    assert not trials.is_named(lint("a.py"), "mend a.py")
