"""What SARIF says beyond the corpus: inherited levels, bases, suppressions, notifications."""

import json

import pytest

from activities.checks.readers.reading import ToolRun, read
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import Finding, FindingKind, FindingReport, Severity
from workflows.contract.sandbox import CommandOutcome

SPEC = CheckSpec(name="check", command="tool", reader=Reader.SARIF, kind=FindingKind.LINT)
RULES = [
    {"id": "A1", "defaultConfiguration": {"level": "error"}},
    {"id": "A2", "messageStrings": {"default": {"text": "no {0} in {1}"}}},
]


def reading(run: dict[str, object], exit_code: int = 1) -> FindingReport:
    report = json.dumps({"version": "2.1.0", "runs": [run]}).encode()
    left = ToolRun(stdout=b"", report=report, exit_code=exit_code, outcome=CommandOutcome.EXITED)
    return read(SPEC, left, "/workspace")


def one(result: dict[str, object], **run: object) -> Finding:
    tool = {"tool": {"driver": {"name": "tool", "rules": RULES}}}
    (finding,) = reading(tool | run | {"results": [result]}).findings
    return finding


def place(uri: str, **more: object) -> dict[str, object]:
    location = {"uri": uri, **more}
    return {"locations": [{"physicalLocation": {"artifactLocation": location}}]}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"level": "note"}, Severity.NOTE),
        ({"level": "none"}, Severity.NOTE),
        ({"level": "error"}, Severity.ERROR),
        ({}, Severity.WARNING),
        ({"ruleId": "A1"}, Severity.ERROR),
        ({"ruleIndex": 0}, Severity.ERROR),
        ({"ruleIndex": 99}, Severity.WARNING),
        ({"level": "unheard-of"}, Severity.WARNING),
    ],
)
def test_a_level_is_its_own_or_that_of_its_rule(
    result: dict[str, object], expected: Severity
) -> None:
    """And a warning when neither says anything, as the format defines."""
    assert one(result).severity is expected


def test_a_message_may_stand_at_its_rule() -> None:
    """With arguments put in."""
    message = {"id": "default", "arguments": ["price", "cart"]}
    finding = one({"ruleId": "A2", "message": message})
    assert (finding.rule, finding.message) == ("A2", "no price in cart")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (place("src/a%20b.py"), "src/a b.py"),
        (place("a.py", uriBaseId="ROOT"), "sub/a.py"),
        (place("a.py", uriBaseId="OUTSIDE"), ""),
        (place("a.py", uriBaseId="UNKNOWN"), "a.py"),
        (place("", index=0), "of/an/artifact.py"),
        (place("", index=9), ""),
        (place("file:///etc/passwd"), ""),
        ({}, ""),
    ],
)
def test_where_a_result_is(location: dict[str, object], expected: str) -> None:
    """Relative to a base, by an index, encoded; or nowhere in the workspace."""
    bases = {"ROOT": {"uri": "file:///workspace/sub/"}, "OUTSIDE": {"uri": "file:///opt/"}}
    artifacts = [{"location": {"uri": "of/an/artifact.py"}}]
    found = one(location, originalUriBaseIds=bases, artifacts=artifacts)
    assert found.path == expected


@pytest.mark.parametrize(
    "result",
    [
        {"kind": "pass"},
        {"kind": "notApplicable"},
        {"suppressions": [{"kind": "inSource"}]},
        {"suppressions": [{"kind": "external", "status": "accepted"}]},
        {"baselineState": "absent"},
    ],
)
def test_what_is_no_problem_is_left_out(result: dict[str, object]) -> None:
    """Results may also say that all is well."""
    assert reading({"results": [result]}, exit_code=0).findings == ()


def test_a_refused_suppression_suppresses_nothing() -> None:
    """Only an accepted one does."""
    assert one({"suppressions": [{"status": "rejected"}]})


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"message": {"text": "Parsing error: x"}, **place("a.js")}, FindingKind.COMPILE),
        ({"message": {"text": "plugin crashed"}}, FindingKind.ENVIRONMENT),
    ],
)
def test_a_tool_that_gave_up_says_so(said: dict[str, object], kind: FindingKind) -> None:
    """A file that does not parse is broken code; anything else is the tool's own trouble."""
    notifications = {"toolExecutionNotifications": [{"level": "error", **said}]}
    invocation = {"executionSuccessful": False, **notifications}
    (finding,) = reading({"invocations": [invocation]}, exit_code=0).findings
    assert finding.kind is kind


def test_the_output_is_the_report_when_there_is_no_file() -> None:
    """Also with lines before and after it."""
    output = b'> shop@1 lint\n{"runs": [{"results": [{"message": {"text": "m"}}]}]}\ndone'
    run = ToolRun(stdout=output, exit_code=1, outcome=CommandOutcome.EXITED)
    assert [found.message for found in read(SPEC, run, "/workspace").findings] == ["m"]
