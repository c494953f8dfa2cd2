"""A judgement in few words that say all that is needed, and never more than they may."""

import pytest

from activities.checks.judging import presentation
from activities.checks.judging.comparison import Judged
from activities.checks.judging.presentation import Picture
from tests.activities.checks.judging.evidences import failure, lint
from workflows.contract.findings import (
    Finding,
    FindingCounts,
    FindingKind,
    FindingState,
    TestCounts,
)

NEW, PERSISTING = FindingState.NEW, FindingState.PERSISTING
A = "tests/test_a.py::test_a"


def picture(*judged: Judged, counts: FindingCounts | None = None) -> Picture:
    made = counts or FindingCounts(new=len(judged))
    return Picture(made, TestCounts(passed=2, failed=1), TestCounts(passed=3), judged)


def new(finding: Finding) -> Judged:
    return Judged(finding, NEW)


def test_the_headline_counts_what_matters():
    """States with nothing in them are not told."""
    counts = FindingCounts(new=3, persisting=1, fixed=5, pre_existing=12)
    first = presentation.message(picture(counts=counts), {}).split("\n")[0]
    assert first == (
        "Findings: 3 new, 1 still failing, 5 fixed, 12 pre-existing hidden. "
        "Tests: 2 of 3 passed; 3 ran at the base commit."
    )


def test_fewer_tests_than_at_the_base_are_told():
    """Then nothing else may be wrong, and still the work is not accepted."""
    made = picture()._replace(tests_at_base=TestCounts(passed=9))
    assert "Fewer than there: all of them must run." in presentation.message(made, {})


def test_what_hides_the_most_comes_first():
    """Environment, integrity, compile, build, type, test, security, lint, format."""
    kinds = list(FindingKind)
    judged = [new(lint(f"{kind}.py").model_copy(update={"kind": kind})) for kind in reversed(kinds)]
    lines = presentation.shown(picture(*judged))
    assert [line.split()[1] for line in lines] == [kind.value for kind in kinds][:8]


def test_new_findings_come_before_those_that_persist():
    """And what is in few files before what is everywhere."""
    many = [new(lint(f"{name}.py", rule="E501")) for name in "abc"]
    made = picture(Judged(lint("a.py", rule="B1"), PERSISTING), *many, new(lint("z.py", rule="B2")))
    rules = [line.split("[")[1].split("]")[0] for line in presentation.shown(made)]
    assert rules == ["B2", "E501", "B1"]


def test_equal_findings_are_told_once():
    """With their number and the first of their files."""
    judged = [new(lint(f"{name}.py", line)) for name in "abcdef" for line in (1, 2, 3)]
    text = presentation.message(picture(*judged), {})
    assert "(x18 in 6 files: also b.py, c.py, d.py, e.py, …)" in text
    assert text.count("unused import") == 1


def test_equal_findings_of_one_file_are_told_by_line():
    """The model finds all of them at once."""
    judged = [new(lint("a.py", line)) for line in (9, 3, 5)]
    assert "lint a.py:3 [F401]: unused import (x3: also line 5, line 9)" in (
        presentation.message(picture(*judged), {})
    )


def test_what_every_tool_says_is_told_once():
    """Code that cannot be read is a finding of each of them."""
    one = lint().model_copy(update={"kind": FindingKind.COMPILE, "message": "expected `:`"})
    other = one.model_copy(update={"check": "types", "rule": "syntax"})
    assert presentation.message(picture(new(one), new(other)), {}).count("expected `:`") == 1


def test_tests_that_fail_for_one_reason_are_told_together():
    """With the first in full and the names of others; an assertion is a reason of its own."""
    failures = [failure(f"{A}_{n}") for n in range(3)]
    apart = presentation.message(picture(*map(new, failures)), {})
    assert apart.count("[AssertionError]") == 3
    alike = [each.model_copy(update={"rule": "TypeError"}) for each in failures]
    together = presentation.message(picture(*map(new, alike)), {})
    assert f"{A}_0 [TypeError]: assert 3 == 4 (x3: also {A}_1, {A}_2)" in together
    cases = [failure(f"{A}[{n}]") for n in range(3)]
    assert presentation.message(picture(*map(new, cases)), {}).count("[AssertionError]") == 1


def test_the_first_findings_come_with_their_source():
    """Three lines on each side, with the line marked, once; the sixth finding is a line."""
    lines = [f"line {number}" for number in range(1, 41)]
    judged = [new(lint("a.py", 10 + n // 2, rule=f"R{n}")) for n in range(6)]
    text = presentation.message(picture(*judged), {"a.py": lines})
    assert [text.count(f"  > {n} | line {n}\n") for n in (10, 11, 12)] == [1, 1, 1]
    assert "    7 | line 7\n" in text
    assert "line 6" not in text
    assert "\n- lint a.py:12 [R5]: unused import\n" in text
    assert presentation.wanted(picture(*judged)) == ("a.py",)


def test_a_traceback_takes_the_place_of_the_source():
    """Its end says what happened, without the rulers between its parts."""
    ruler = "_ " * 40
    detail = "\n".join([*(f"trace {number}" for number in range(500)), ruler, "the end"])
    finding = lint("a.py", 1).model_copy(update={"detail": detail})
    text = presentation.message(picture(new(finding)), {"a.py": ["line 1"]})
    assert "    trace 499\n    --\n    the end" in text
    assert "trace 1\n" not in text
    assert "line 1" not in text


def test_without_its_source_the_line_is_told_alone():
    """The finding brings it along."""
    finding = lint().model_copy(update={"snippet": "import os"})
    assert "    > import os" in presentation.message(picture(new(finding)), {})


def test_the_end_says_what_to_do():
    """To repair, and what must not be repaired by changing the judge."""
    text = presentation.message(picture(new(lint())), {})
    assert text.endswith("Repair these and call finish again.")
    tampered = lint().model_copy(update={"kind": FindingKind.INTEGRITY})
    assert "must stay as it is" in presentation.message(picture(new(tampered)), {})


def test_what_failed_before_is_the_model_s_choice():
    """Nothing else is in the way: it may say that the task is not about it."""
    made = picture()._replace(remaining=[failure(A), failure(f"{A}_b")])
    assert presentation.message(made, {}).endswith(
        f"2 tests failed before your work and still do: {A}, {A}_b. Repair them if the task is "
        "about them; else call finish again and say so."
    )


def test_what_is_not_the_model_s_is_said():
    """Flakes, checks that cannot be run, and remarks for the reviewer."""
    made = picture()._replace(flaky=[failure(A)], unrunnable=["types"], remarks=[lint()])
    text = presentation.message(made, {})
    assert f"not yours to mend: {A}." in text
    assert "nothing is known of them: types." in text
    assert "Told to the reviewer: 1 remark." in text
    assert "Nothing is left to repair" not in text
    assert presentation.shown(made) == (f"flaky: {A}", "remark: a.py:1 unused import")


def test_named_failures_say_why_they_block():
    """They are no fault of the work, but its task."""
    made = picture(Judged(failure(A), FindingState.PRE_EXISTING))
    assert "failed before, and the task names it" in presentation.message(made, {})


HOSTILE = "\x1b[2J\x1b]0;x\x07\u202egnp.exe\u2028\0 " + "word " * 400


@pytest.mark.parametrize("count", [0, 1, 5, 6, 50, 3_000])
def test_the_message_is_bounded_and_inert(count: int):
    """However many findings there are, and whatever they say."""
    finding = Finding(
        check="lint",
        kind=FindingKind.LINT,
        rule=HOSTILE[:200],
        path=HOSTILE[:500],
        line=2,
        message=HOSTILE[:500],
        snippet=HOSTILE[:300],
        detail=HOSTILE[:1_500],
    )
    judged = [
        new(finding.model_copy(update={"path": f"{n}{finding.path}"[:500], "rule": f"r{n}"}))
        for n in range(count)
    ]
    made = picture(*judged)._replace(remaining=[finding] * count, flaky=[finding] * count)
    sources = {each.finding.path: [HOSTILE * 9] * 4 for each in judged}
    text = presentation.message(made, sources)
    assert len(text) <= presentation.MESSAGE_CHARACTERS
    lines = presentation.shown(made)
    assert all(len(line) <= 240 and "\n" not in line for line in lines)
    for character in "\x1b\0\u202e\u2028":
        assert character not in text
        assert all(character not in line for line in lines)
    if count > 50:
        assert "more, of these or other kinds." in text


@pytest.mark.parametrize(
    ("ran", "before", "said"),
    [
        (0, 1, "The one test of the base commit did not run: bring it back."),
        (2, 3, "Only 2 of the 3 tests of the base commit ran: bring the others back."),
    ],
)
def test_lost_tests_are_asked_for(ran: int, before: int, said: str):
    """Also when the repository had a single one."""
    lost = Picture(FindingCounts(), TestCounts(passed=ran), TestCounts(passed=before), ())
    assert said in presentation.message(lost, {})
