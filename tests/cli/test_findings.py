"""What the checks found, as text."""

from click import unstyle

from cli import findings
from tests.cli.sessions import resource, verdict
from workflows.contract.findings import Finding, FindingKind, FindingReport
from workflows.contract.judging import VerdictGiven
from workflows.contract.session import SessionView

VIEW = SessionView.model_validate(
    resource(checks=["ruff passed", "pytest failed", "mypy could not be run"])["view"]
)
FOUND = (
    Finding(
        check="pytest",
        kind=FindingKind.TEST,
        rule="AssertionError",
        path="tests/test_a.py",
        line=7,
        message="assert 1 == 2\n\x1b[2J",
        test_id="tests/test_a.py::test_b",
    ),
    Finding(check="mypy", kind=FindingKind.ENVIRONMENT, message="mypy is not installed"),
    Finding(
        check="integrity", kind=FindingKind.INTEGRITY, path="conftest.py", message="a new hook"
    ),
)


def shown(word: str, report: FindingReport | None, **fields: object) -> list[str]:
    given = VerdictGiven.model_validate(verdict(word, **fields))
    return unstyle(findings.judged(VIEW, given, report)).splitlines()


def test_each_check_and_each_finding_has_a_line():
    """A table of checks, the verdict, then findings by check and place as compilers write them."""
    report = FindingReport(check="all", findings=FOUND, left_out=3)
    assert shown("red", report, counts={"new": 3}, why="findings stand") == [
        "CHECK      RESULT            BLOCKING",
        "ruff       passed            0",
        "pytest     failed            1",
        "mypy       could not be run  1",
        "integrity  -                 1",
        "",
        "verdict: red, 3 new",
        "  findings stand",
        "conftest.py: a new hook [integrity]",
        "mypy: mypy is not installed [mypy]",
        (
            "tests/test_a.py:7: assert 1 == 2 \N{REPLACEMENT CHARACTER}[2J "
            "[pytest tests/test_a.py::test_b]"
        ),
        "… and 3 more were not kept",
    ]


def test_without_blocking_findings_the_remarks_are_shown():
    """What a reviewer should know, and where nothing was judged nothing else."""
    green = shown("green", FindingReport(check="all"), shown=["remark: a.py:1 new suppression"])
    assert green[-2:] == ["verdict: green, no findings", "  remark: a.py:1 new suppression"]
    assert shown("unchanged", None)[-1] == "verdict: nothing changed"
