"""What keeps a finding the same, and what makes it another."""

import pytest

from activities.checks.findings.fingerprints import located, normalised, second_key
from workflows.contract.findings import Finding, FindingKind, FindingReport

LINES = {"a.py": ["import os", "", "    x = 1", "    x = 1", "y = 2"]}


def finding(**changes: object) -> Finding:
    values: dict[str, object] = {
        "check": "lint",
        "kind": FindingKind.LINT,
        "rule": "F401",
        "path": "a.py",
        "line": 1,
        "message": "`os` imported but unused",
    }
    return Finding.model_validate(values | changes)


def fingerprints(*findings: Finding) -> list[str]:
    report = located(FindingReport(check="lint", findings=findings), LINES)
    return [found.fingerprint for found in report.findings]


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "`sys` imported but unused"},
        {"rule": "F402"},
        {"path": "b.py"},
        {"check": "other"},
        {"line": 5},
    ],
)
def test_what_makes_a_finding_another(changes: dict[str, object]) -> None:
    """Check, rule, path, message and the text of the line count."""
    first, other = fingerprints(finding(), finding(**changes))
    assert first != other


@pytest.mark.parametrize(
    "changes",
    [
        {"column": 9},
        {"detail": "more"},
        {"fixable": True},
    ],
)
def test_what_does_not_count(changes: dict[str, object]) -> None:
    """Neither the column nor what is only told counts."""
    assert fingerprints(finding()) == fingerprints(finding(**changes))


def test_equal_lines_are_told_apart_by_their_order_in_the_file() -> None:
    """Whichever order a tool tells them in, the first in the file is the first."""
    third, fourth = finding(line=3), finding(line=4)
    assert fingerprints(third, fourth) == fingerprints(fourth, third)[::-1]
    assert len(set(fingerprints(third, fourth))) == 2
    assert fingerprints(third)[0] == fingerprints(fourth)[0]


def test_a_test_is_its_id() -> None:
    """Message, place and snippet of a failing test may change."""
    one = finding(test_id="test_a.py::test_b", message="assert 1 == 2")
    other = finding(test_id="test_a.py::test_b", message="KeyError", line=3, path="c.py")
    assert fingerprints(one) == fingerprints(other)
    assert fingerprints(one) != fingerprints(finding(test_id="test_a.py::test_c"))


def test_files_that_are_absent_give_no_snippet() -> None:
    """Also lines beyond the end give none."""
    found = (finding(), finding(path="b.py"), finding(line=99), finding(line=0))
    report = located(FindingReport(check="lint", findings=found), LINES)
    assert [item.snippet for item in report.findings] == ["import os", "", "", ""]


def test_a_snippet_is_short_and_inert() -> None:
    """Source lines are written by the model, too."""
    lines = {"a.py": ["\x1b[31m" + "x" * 1_000]}
    (found,) = located(FindingReport(check="lint", findings=(finding(),)), lines).findings
    assert len(found.snippet) == 300
    assert "\x1b" not in found.snippet


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("line 3, column 17", "line #, column #"),
        ("<Cart object at 0x7f66f2ee6a10>", "<Cart object at #>"),
        ("cannot open '/tmp/pytest-of-me/x1/a.txt'", "cannot open '#'"),
        ("commit 3f2b1c9d8e7a6f5b4c3d is gone", "commit # is gone"),
        ("no attribute 'upper'", "no attribute 'upper'"),
    ],
)
def test_what_varies_is_blanked(message: str, expected: str) -> None:
    """Numbers, addresses, hashes and temporary paths."""
    assert normalised(message) == expected


def test_an_edited_line_keeps_the_second_key() -> None:
    """It is check, rule, path, test and message, without snippet and order."""
    assert second_key(finding(line=3)) == second_key(finding(line=5, snippet="z"))
    assert second_key(finding()) != second_key(finding(test_id="t"))
    assert second_key(finding()) != second_key(finding(message="other"))
