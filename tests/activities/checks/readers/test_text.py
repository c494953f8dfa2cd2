"""The forms of plain lines, and what is made of blocks of them."""

import pytest

from activities.checks.readers.reading import ToolRun, read
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import Finding, FindingKind, Severity
from workflows.contract.sandbox import CommandOutcome


def reading(output: str, exit_code: int = 1) -> list[Finding]:
    spec = CheckSpec(name="check", command="x", reader=Reader.TEXT, kind=FindingKind.BUILD)
    run = ToolRun(stdout=output.encode(), exit_code=exit_code, outcome=CommandOutcome.EXITED)
    return list(read(spec, run, "/workspace").findings)


@pytest.mark.parametrize(
    ("line", "path", "place", "rule", "message"),
    [
        ("src/a.ts(2,3): error TS2322: not so", "src/a.ts", (2, 3), "TS2322", "not so"),
        ("app/(x)/a.tsx(2,3): error TS1: no", "app/(x)/a.tsx", (2, 3), "TS1", "no"),
        ("a.cs(2,3): warning CS0168: unused", "a.cs", (2, 3), "CS0168", "unused"),
        ("a.c:1:2: error: no [-Werror=x]", "a.c", (1, 2), "-Werror=x", "no"),
        ("a.c:1:2: fatal error: b.h: none", "a.c", (1, 2), "", "b.h: none"),
        ("a.py:3: error: odd  [arg-type]", "a.py", (3, 0), "arg-type", "odd"),
        ("A.java:3: error: ';' expected", "A.java", (3, 0), "", "';' expected"),
        ("a.py:1:2: F401 [*] `os` unused", "a.py", (1, 2), "F401", "`os` unused"),
        ("a.py:1:2: E501 line too long", "a.py", (1, 2), "E501", "line too long"),
        ("a.py:1:2: W0611: Unused (unused-import)", "a.py", (1, 2), "unused-import", "Unused"),
        ("a.py:1:2: invalid-syntax: no", "a.py", (1, 2), "invalid-syntax", "no"),
        ("./a.go:5:2: undefined: x", "a.go", (5, 2), "", "undefined: x"),
        ("  /workspace/a.py:1:2 - error: no (reportX)", "a.py", (1, 2), "reportX", "no"),
        ("[ERROR] /workspace/A.java:[3,5] no", "A.java", (3, 5), "", "no"),
        ("error: Failed to parse a.py:1:2: no", "a.py", (1, 2), "invalid-syntax", "no"),
        ("error: cannot format a.py: Cannot parse: 1:2", "a.py", (0, 0), "invalid-syntax", None),
        ("Would reformat: src/a.py", "src/a.py", (0, 0), "unformatted", None),
        ("would reformat /workspace/a.py", "a.py", (0, 0), "unformatted", None),
        ("[warn] src/a.ts", "src/a.ts", (0, 0), "unformatted", None),
        (
            "ERROR: /workspace/a.py Imports are incorrectly sorted and/or formatted.",
            "a.py",
            (0, 0),
            "unsorted-imports",
            None,
        ),
        ("C:\\work\\a.c:1:2: error: no", "", (1, 2), "", "no"),
        ("/etc/a.c:1:2: error: no", "", (1, 2), "", "no"),
        ("\x1b[1ma.c:1:2: \x1b[31merror: \x1b[0mno", "a.c", (1, 2), "", "no"),
    ],
)
def test_a_line_names_place_rule_and_message(
    line: str, path: str, place: tuple[int, int], rule: str, message: str | None
) -> None:
    """In the form of each tool, coloured or not."""
    (finding,) = reading(f"checking\n{line}\nFound 1 error.\n")
    assert (finding.path, finding.line, finding.column) == (path, *place)
    assert (finding.rule, finding.message) == (rule, message or finding.message)


@pytest.mark.parametrize(
    ("word", "severity"),
    [("error", Severity.ERROR), ("warning", Severity.WARNING), ("info", Severity.NOTE)],
)
def test_a_word_says_how_bad_it_is(word: str, severity: Severity) -> None:
    """As the tool means it."""
    assert [found.severity for found in reading(f"a.c:1:2: {word}: no\n")] == [severity]


@pytest.mark.parametrize(
    "line",
    [
        "12:30:01: error",
        "see http://example.org:80:1: x",
        "a:b:c: d",
        "ERROR no such file a.py",
        "Error: it broke",
        "1:2:3: 4",
    ],
)
def test_what_names_no_place_is_not_understood(line: str) -> None:
    """It is in the end of the output."""
    (finding,) = reading(line)
    assert (finding.rule, finding.detail) == ("exit-code", line)


def test_a_remark_belongs_to_the_problem_before_it() -> None:
    """A compiler's note is no problem of its own; a linter's, which has a rule, is one."""
    output = "a.c:1:2: error: no\na.c:1:2: note: declared here\na.sh:1:2: note: quote [SC2086]\n"
    assert [finding.message for finding in reading(output)] == ["no", "quote"]


@pytest.mark.parametrize(
    ("output", "place", "rule"),
    [
        ("error[E0308]: no\n --> src/a.rs:3:5\n  |\n", ("src/a.rs", 3), "E0308"),
        ("F401 [*] `os` unused\n --> a.py:1:8\n  |\n", ("a.py", 1), "F401"),
        ("unformatted: File would be reformatted\n --> a.py:1:8\n", ("a.py", 0), "unformatted"),
    ],
)
def test_a_title_may_stand_above_the_place(output: str, place: tuple[str, int], rule: str) -> None:
    """As rustc and ruff write it."""
    (finding,) = reading(output)
    assert ((finding.path, finding.line), finding.rule) == (place, rule)


def test_a_traceback_is_one_finding_at_its_last_line_in_the_workspace() -> None:
    """Frames of libraries and of the interpreter do not count."""
    (finding,) = reading(
        'Traceback (most recent call last):\n  File "/workspace/a.py", line 3, in f\n    g()\n'
        '  File "/usr/lib/python3/json.py", line 9, in g\n    raise\nshop.errors.PriceError: none\n'
    )
    assert (finding.path, finding.line, finding.rule) == ("a.py", 3, "PriceError")
    assert finding.message == "none"


def test_code_that_does_not_parse_is_no_matter_of_the_check() -> None:
    """Whatever the check is about."""
    output = (
        '  File "/workspace/a.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    )
    (finding,) = reading(output)
    assert (finding.kind, finding.path, finding.line) == (FindingKind.COMPILE, "a.py", 3)


@pytest.mark.parametrize(
    ("line", "test_id", "message"),
    [
        (
            "FAILED tests/test_a.py::test_b - assert 1 == 2",
            "tests/test_a.py::test_b",
            "assert 1 == 2",
        ),
        ("FAILED tests/test_a.py::test_b[x - y] - no", "tests/test_a.py::test_b[x - y]", "no"),
        ("FAILED tests/test_a.py::test_b[x - y]", "tests/test_a.py::test_b[x - y]", "failed"),
        ("SUBFAILED(x='a b') tests/test_a.py::test_b - no", "tests/test_a.py::test_b", "no"),
        ("ERROR tests/test_a.py - ImportError: no", "", "ImportError: no"),
    ],
)
def test_a_summary_of_pytest_names_tests(line: str, test_id: str, message: str) -> None:
    """Once each, though the output tells them twice."""
    trace = '  File "/workspace/tests/test_a.py", line 3, in test_b\n    x\nKeyError: 1\n'
    (finding,) = reading(f"{trace}{line}\n{line}\n")
    assert (finding.test_id, finding.message) == (test_id, message)
    assert finding.path == "tests/test_a.py"


def test_a_hook_that_says_nothing_is_a_finding_by_its_id() -> None:
    """What it said is the detail; a hook that names problems is not told besides them."""
    failed = "a hook" + "." * 60 + "Failed\n- hook id: %s\n- exit code: 1\n\n%s\n"
    output = (
        "fine" + "." * 60 + "Passed\n" + failed % ("loud", "a.c:1:2: error: no")
        + failed % ("odd", "it is odd") + "other" + "." * 40 + "(no files to check)Skipped\n"
    )  # fmt: skip
    named, odd = reading(output)
    assert (named.path, named.message) == ("a.c", "no")
    assert (odd.rule, odd.message) == ("odd", "hook odd failed")
    assert "it is odd" in odd.detail


def test_of_very_long_output_both_ends_are_read() -> None:
    """What stands between is only missing there."""
    noise = "nothing to see here\n" * 500_000
    output = f"a.c:1:1: error: first\n{noise}b.c:1:1: error: last\n"
    assert [finding.message for finding in reading(output)] == ["first", "last"]
