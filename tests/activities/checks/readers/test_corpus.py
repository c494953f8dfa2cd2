"""What is read from the output of real tools."""

import json

import pytest

from tests.activities.checks.readers.cases import WORKSPACE, Case, cases, told
from workflows.contract.findings import FindingKind, TestOutcome

CASES = [pytest.param(case, id=case.folder.name) for case in cases()]
UNRUNNABLE = {"pytest-nothing"}


@pytest.mark.parametrize("case", CASES)
def test_every_tool_is_read_as_it_was_checked_by_hand(case: Case) -> None:
    """Rule, place, kind, severity, message and test id of all findings, and all outcomes."""
    expected = json.loads((case.folder / "expected.json").read_text())
    report = case.read()
    assert [told(finding) for finding in report.findings] == expected["findings"]
    assert {test: str(outcome) for test, outcome in report.tests.items()} == expected["tests"]


@pytest.mark.parametrize("case", CASES)
def test_only_what_could_not_run_is_unrunnable(case: Case) -> None:
    """The kind `environment` is for one case of the corpus."""
    kinds = {finding.kind for finding in case.read().findings}
    assert (FindingKind.ENVIRONMENT in kinds) == (case.folder.name in UNRUNNABLE)


@pytest.mark.parametrize("case", CASES)
def test_moved_lines_change_no_fingerprint(case: Case) -> None:
    """The tools ran again with 20 lines on top of every file: the same problems are the same."""
    before = case.read()
    after = case.read("moved.")
    fingerprints = sorted(finding.fingerprint for finding in before.findings)
    assert fingerprints == sorted(finding.fingerprint for finding in after.findings)
    assert len(set(fingerprints)) == len(fingerprints)
    assert all(len(fingerprint) == 40 for fingerprint in fingerprints)


@pytest.mark.parametrize("case", CASES)
def test_snippets_are_the_lines_that_are_named(case: Case) -> None:
    """Lines of the moved run are others than before, and hold the same text."""
    before = case.read()
    after = case.read("moved.")
    lines = {finding.fingerprint: (finding.line, finding.snippet) for finding in before.findings}
    for finding in after.findings:
        line, snippet = lines[finding.fingerprint]
        assert finding.snippet == snippet
        is_known = finding.path in case.sources()
        assert finding.line == (line + 20 if line and is_known else line)


SAME = (
    ("ruff-sarif", "ruff-json", "ruff-json-lines", "ruff-concise", "ruff-full", "ruff-junit"),
    ("mypy-json-types", "mypy-text"),
    ("bandit-sarif", "bandit-json"),
    ("eslint-json", "eslint-sarif", "eslint-stylish"),
    ("gcc", "gcc-json"),
    ("pylint", "pylint-json", "pylint-json2"),
    ("shellcheck", "shellcheck-json"),
)


@pytest.mark.parametrize("names", SAME, ids=lambda names: names[0])
def test_every_format_of_a_tool_says_the_same(names: tuple[str, ...]) -> None:
    """Kinds, files and lines do not depend on the format that was asked for."""
    found = {case.folder.name: case.read() for case in cases() if case.folder.name in names}
    places = [
        sorted((str(item.kind), item.path, item.line) for item in found[name].findings)
        for name in names
    ]
    assert places == [places[0]] * len(names)


def test_every_way_to_run_pytest_says_the_same() -> None:
    """With either family of its report, in several processes, and in plain words."""
    found = {case.folder.name: case.read() for case in cases()}
    for name in ("pytest-xunit2", "pytest-xdist"):
        assert found[name].tests == found["pytest"].tests
    failed = {test for test, end in found["pytest"].tests.items() if end is TestOutcome.FAILED}
    assert {finding.test_id for finding in found["pytest-text"].findings} == failed


@pytest.mark.parametrize("case", CASES)
def test_no_machine_path_is_left(case: Case) -> None:
    """Paths are relative to the workspace."""
    assert WORKSPACE.startswith("/")
    assert not [finding for finding in case.read().findings if finding.path.startswith("/")]
