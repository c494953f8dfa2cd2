"""The ids that are read from a report of pytest are those that pytest takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from activities.checks.readers.reading import ToolRun, read
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FindingKind, FindingReport, TestOutcome
from workflows.contract.sandbox import CommandOutcome

SUITE = """
import pytest
from tests.base import Base

ODD = ["a b", "x::y", "a/b[c]", "\\u00e9", "<&>\\"'", "a\\nb", "", " - "]

@pytest.mark.parametrize("text", ODD)
def test_odd(text):
    assert text == "x::y"

class TestInherited(Base):
    class TestNested:
        def test_inner(self):
            assert False
"""
BASE = """
class Base:
    def test_from_base(self):
        assert False
"""


def run(project: Path, family: str, *tests: str) -> FindingReport:
    report = project / "report.xml"
    report.unlink(missing_ok=True)
    options = ["-q", "-p", "no:cacheprovider", "-o", f"junit_family={family}", "--rootdir=."]
    command = [sys.executable, "-m", "pytest", *options, f"--junit-xml={report}", "--", *tests]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False)
    left = ToolRun(
        stdout=done.stdout,
        report=report.read_bytes(),
        exit_code=done.returncode,
        outcome=CommandOutcome.EXITED,
    )
    spec = CheckSpec(name="tests", command="pytest", reader=Reader.JUNIT, kind=FindingKind.TEST)
    return read(spec, left, str(project))


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_every_failed_test_can_be_run_again_by_its_id(tmp_path: Path, family: str) -> None:
    """Also with odd parameters, in nested classes and inherited from another file."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "__init__.py").touch()
    (tests / "base.py").write_text(BASE)
    (tests / "test_odd.py").write_text(SUITE)
    first = run(tmp_path, family, "tests")
    failed = sorted(test for test, end in first.tests.items() if end is TestOutcome.FAILED)
    assert len(failed) == 9
    assert "tests/test_odd.py::TestInherited::TestNested::test_inner" in failed
    again = run(tmp_path, family, *failed)
    assert sorted(again.tests) == failed
    assert {finding.test_id for finding in again.findings} == set(failed)
