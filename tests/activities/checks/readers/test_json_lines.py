"""The JSON of tools that are not in the corpus, and JSON among other lines."""

import json
from collections.abc import Mapping

import pytest

from activities.checks.readers.reading import ToolRun, read
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FindingKind, FindingReport, TestOutcome
from workflows.contract.sandbox import CommandOutcome


def reading(output: str, exit_code: int = 1, kind: FindingKind = FindingKind.TEST) -> FindingReport:
    spec = CheckSpec(name="check", command="tool", reader=Reader.JSON_LINES, kind=kind)
    run = ToolRun(stdout=output.encode(), exit_code=exit_code, outcome=CommandOutcome.EXITED)
    return read(spec, run, "/workspace")


def events(*events: Mapping[str, object]) -> str:
    return "".join(json.dumps({"Package": "shop/cart", **event}) + "\n" for event in events)


def test_go_tests_have_outcomes_and_what_they_printed() -> None:
    """What a test printed stands in events before that of its end."""
    report = reading(
        events(
            {"Action": "run", "Test": "TestTotal"},
            {"Action": "output", "Test": "TestTotal", "Output": "=== RUN   TestTotal\n"},
            {"Action": "output", "Test": "TestTotal", "Output": "    a_test.go:7: got 1\n"},
            {"Action": "fail", "Test": "TestTotal", "Elapsed": 0.1},
            {"Action": "pass", "Test": "TestSum/two"},
            {"Action": "skip", "Test": "TestLater"},
            {"Action": "fail", "Elapsed": 0.2},
        )
    )
    assert report.tests == {
        "shop/cart/TestTotal": TestOutcome.FAILED,
        "shop/cart/TestSum/two": TestOutcome.PASSED,
        "shop/cart/TestLater": TestOutcome.SKIPPED,
    }
    (finding,) = report.findings
    assert (finding.kind, finding.message) == (FindingKind.TEST, "got 1")
    assert (finding.line, finding.test_id) == (7, "shop/cart/TestTotal")
    assert "=== RUN" in finding.detail


def test_a_go_package_that_does_not_build_names_the_lines() -> None:
    """Once, though package and tests fail for it."""
    report = reading(
        '{"ImportPath":"shop/cart","Action":"build-output","Output":"# shop/cart\\n"}\n'
        '{"ImportPath":"shop/cart","Action":"build-output",'
        '"Output":"cart/cart.go:3:9: undefined: tax\\n"}\n'
        '{"ImportPath":"shop/cart","Action":"build-fail"}\n'
        + events({"Action": "fail", "FailedBuild": "shop/cart"})
    )
    (finding,) = report.findings
    assert (finding.kind, finding.path, finding.line) == (FindingKind.COMPILE, "cart/cart.go", 3)
    assert finding.message == "undefined: tax"


def test_a_go_package_that_panics_is_a_finding() -> None:
    """Although no test of it failed."""
    output = {"Action": "output", "Output": "panic: no price\n"}
    (finding,) = reading(events(output, {"Action": "fail"})).findings
    assert (finding.message, finding.detail) == ("package shop/cart failed", "panic: no price")


def test_go_vet_tells_packages_and_analysers() -> None:
    """Between comments that are no JSON."""
    found = {"shop": {"printf": [{"posn": "/workspace/a.go:5:2", "message": "bad verb"}]}}
    report = reading("# shop\n" + json.dumps(found, indent="\t"), kind=FindingKind.LINT)
    (finding,) = report.findings
    assert (finding.rule, finding.path, finding.line, finding.column) == ("printf", "a.go", 5, 2)


@pytest.mark.parametrize(
    ("level", "code", "kind"),
    [
        ("error", "E0308", FindingKind.COMPILE),
        ("error: internal compiler error", "", FindingKind.COMPILE),
        ("error", "clippy::eq_op", FindingKind.LINT),
        ("warning", "unused_variables", FindingKind.LINT),
    ],
)
def test_rust_tells_errors_from_lints(level: str, code: str, kind: FindingKind) -> None:
    """Clippy's lints are none of the compiler's errors, even when they are denied."""
    span = {"file_name": "src/lib.rs", "line_start": 3, "column_start": 1, "is_primary": True}
    message = {"message": "m", "level": level, "code": {"code": code}, "spans": [span]}
    line = {"reason": "compiler-message", "package_id": "p", "message": message}
    (finding,) = reading(json.dumps(line)).findings
    assert (finding.kind, finding.path, finding.line) == (kind, "src/lib.rs", 3)


def test_documents_may_stand_between_other_lines() -> None:
    """Of a tool, or of whoever runs it; what is broken is passed over."""
    good = '{"file": "a.py", "line": 1, "severity": "error", "message": "%s", "code": null}'
    report = reading(f"> mypy\n{good % 'one'}\n{{broken\n  {good % 'two'}\n{good[:20]}\nFound 2\n")
    assert [finding.message for finding in report.findings] == ["one", "two"]


def test_what_is_no_json_is_read_as_text() -> None:
    """A tool that fails early often says so in plain words."""
    report = reading("a.go:3:9: error: undefined: tax\n", kind=FindingKind.BUILD)
    (finding,) = report.findings
    assert (finding.path, finding.line, finding.message) == ("a.go", 3, "undefined: tax")


def test_a_sound_check_may_say_nothing_or_something_else() -> None:
    """Only a report in a file must be JSON."""
    assert reading("Success: no issues found\n", exit_code=0).findings == ()
    assert reading("", exit_code=0).findings == ()


def test_a_key_that_stands_twice_counts_once() -> None:
    """The last one."""
    line = '{"file": "a.py", "file": "b.py", "severity": "error", "message": "m"}'
    (finding,) = reading(line).findings
    assert finding.path == "b.py"
