"""When nothing is known: the check did not run, or its report cannot be read."""

import pytest

from activities.checks.findings.reports import is_unrunnable
from activities.checks.readers.reading import REPORT_BYTES, ToolRun, read
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FindingKind
from workflows.contract.sandbox import CommandOutcome

PYTEST = "python3 -m pytest -q"
PASSED = (
    b'<testsuites><testsuite name="pytest">'
    b'<testcase classname="t" name="t"/></testsuite></testsuites>'
)
FAILED = PASSED.replace(b"/></testsuite>", b"><failure/></testcase></testsuite>")


def check(command: str, reader: Reader, kind: FindingKind = FindingKind.TEST) -> CheckSpec:
    return CheckSpec(name="check", command=command, reader=reader, kind=kind)


def ran(exit_code: int, stdout: bytes = b"", stderr: bytes = b"", report: bytes | None = None):
    return ToolRun(
        stdout=stdout,
        stderr=stderr,
        report=report,
        exit_code=exit_code,
        outcome=CommandOutcome.EXITED,
    )


@pytest.mark.parametrize("reader", list(Reader))
@pytest.mark.parametrize(
    "outcome", [outcome for outcome in CommandOutcome if outcome is not CommandOutcome.EXITED]
)
def test_what_did_not_end_by_itself_says_nothing(outcome: CommandOutcome, reader: Reader) -> None:
    """Whatever stands in its report; the last output is shown."""
    run = ToolRun(stdout=b"first\ncollecting ...\n", report=PASSED, exit_code=None, outcome=outcome)
    report = read(check(PYTEST, reader), run, "/workspace")
    (finding,) = report.findings
    assert finding.kind is FindingKind.ENVIRONMENT
    assert finding.detail.endswith("collecting ...")
    assert report.tests == {}


@pytest.mark.parametrize("reader", list(Reader))
@pytest.mark.parametrize("exit_code", [126, 127])
def test_a_program_that_cannot_start_is_no_finding_of_its_kind(
    exit_code: int, reader: Reader
) -> None:
    """The shell's two exit codes for it."""
    run = ran(exit_code, stderr=b"bash: line 1: tool: command not found")
    assert is_unrunnable(read(check("tool .", reader), run, "/workspace"))


@pytest.mark.parametrize(
    ("command", "exit_code", "said"),
    [
        (PYTEST, 1, "/usr/bin/python3: No module named pytest"),
        ("python3 -m mypy .", 1, "/usr/bin/python3: No module named mypy"),
        ("uv run pytest", 2, "error: Failed to spawn: `pytest`"),
        ("cargo clippy", 101, "error: no such command: `clippy`"),
        ("npm run lint", 1, 'npm error Missing script: "lint"'),
        ("make lint", 2, "/bin/sh: 1: flake8: not found"),
    ],
)
@pytest.mark.parametrize("reader", list(Reader))
def test_a_missing_tool_is_the_environment(
    reader: Reader, command: str, exit_code: int, said: str
) -> None:
    """However the one that should have started it says so."""
    report = read(check(command, reader), ran(exit_code, stderr=said.encode()), "/workspace")
    (finding,) = report.findings
    assert (finding.kind, finding.rule) in {
        (FindingKind.ENVIRONMENT, "not-found"),
        (FindingKind.ENVIRONMENT, "interrupted"),
    }
    assert finding.detail == said


def test_a_missing_module_of_the_code_is_no_missing_tool() -> None:
    """A test that cannot import something fails; it is not the runner that is missing."""
    failed = FAILED.replace(b"<failure/>", b'<failure message="No module named shop"/>')
    report = read(check(PYTEST, Reader.JUNIT), ran(1, report=failed), "/workspace")
    assert [finding.kind for finding in report.findings] == [FindingKind.TEST]


@pytest.mark.parametrize(
    "report",
    [
        None,
        b"",
        b"  \n",
        b"garbage",
        b"{",
        b"<testsuite>",
        PASSED[:-10],
        b"<html/>",
        b'{"version": "2.1.0"}',
        b"[]",
        b"<!DOCTYPE x>" + PASSED,
        b" " * (REPORT_BYTES + 1),
    ],
)
@pytest.mark.parametrize("reader", [Reader.JUNIT, Reader.SARIF])
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_report_that_cannot_be_read_is_never_sound(
    reader: Reader, exit_code: int, report: bytes | None
) -> None:
    """Also when the check says that all is well; nothing read before counts."""
    found = read(check("tool", reader), ran(exit_code, report=report), "/workspace")
    assert [finding.kind for finding in found.findings] == [FindingKind.ENVIRONMENT]
    assert found.tests == {}


@pytest.mark.parametrize(("exit_code", "rule"), [(2, "interrupted"), (3, "internal-error")])
def test_an_interrupted_run_keeps_what_it_found(exit_code: int, rule: str) -> None:
    """What failed before is told as well."""
    found = read(check(PYTEST, Reader.JUNIT), ran(exit_code, report=FAILED), "/workspace")
    assert found.findings[0].rule == rule
    assert [finding.kind for finding in found.findings] == [
        FindingKind.ENVIRONMENT,
        FindingKind.TEST,
    ]


@pytest.mark.parametrize(("exit_code", "rule"), [(4, "usage"), (5, "no-tests")])
@pytest.mark.parametrize("report", [None, PASSED, b"<testsuites/>"])
def test_pytest_that_ran_no_tests_is_unrunnable(
    exit_code: int, rule: str, report: bytes | None
) -> None:
    """Its exit code wins over a report that says otherwise."""
    found = read(check(PYTEST, Reader.JUNIT), ran(exit_code, report=report), "/workspace")
    assert [finding.rule for finding in found.findings] == [rule]
    assert is_unrunnable(found)


def test_exit_codes_of_pytest_mean_nothing_for_others() -> None:
    """A Makefile ends with 2 when any of its commands fails."""
    found = read(check("make test", Reader.JUNIT), ran(2, report=FAILED), "/workspace")
    assert [finding.kind for finding in found.findings] == [FindingKind.TEST]


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [("mypy --output json .", 2), ("ruff check .", 2), ("eslint -f json .", 2), ("pyright", 3)],
)
@pytest.mark.parametrize("reader", [Reader.JSON_LINES, Reader.TEXT])
def test_a_tool_in_trouble_is_the_environment(command: str, exit_code: int, reader: Reader) -> None:
    """By its own exit code, when it names no problem of the code."""
    run = ran(exit_code, stderr=b"something is wrong with the configuration")
    assert is_unrunnable(read(check(command, reader, FindingKind.LINT), run, "/workspace"))


def test_failures_count_although_the_check_says_that_all_is_well() -> None:
    """A report that holds failures is believed."""
    found = read(check(PYTEST, Reader.JUNIT), ran(0, report=FAILED), "/workspace")
    assert [finding.kind for finding in found.findings] == [FindingKind.TEST]


@pytest.mark.parametrize("reader", [Reader.JUNIT, Reader.SARIF, Reader.JSON_LINES])
def test_a_failure_that_no_report_explains_is_a_finding(reader: Reader) -> None:
    """Such as too little coverage; the end of the output is all that is known."""
    report = {Reader.JUNIT: PASSED, Reader.SARIF: b'{"runs": []}', Reader.JSON_LINES: b"{}"}
    run = ran(1, stdout=b"coverage is too low\n", report=report[reader])
    (finding,) = read(check("tool", reader), run, "/workspace").findings
    assert (finding.kind, finding.rule) == (FindingKind.TEST, "exit-code")
    assert finding.detail == "coverage is too low"


def test_plain_output_of_a_sound_check_has_no_findings() -> None:
    """Whatever it looks like."""
    run = ran(0, stdout=b"a.c:1:2: warning: unused")
    assert read(check("make", Reader.TEXT), run, "/workspace").findings == ()


def test_output_that_nobody_understands_is_one_finding() -> None:
    """Of the check's own kind, with the end of what it said."""
    run = ran(7, stdout=b"x" * 100_000 + b"\nit broke\n")
    report = read(check("make", Reader.TEXT, FindingKind.BUILD), run, "/workspace")
    (finding,) = report.findings
    assert (finding.kind, finding.message) == (FindingKind.BUILD, "exited with 7")
    assert finding.detail.endswith("\nit broke")
    assert not is_unrunnable(report)
