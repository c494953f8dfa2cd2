"""A project that nobody here wrote: its source distribution, its test suite, a defect put in."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import StackFactory
from tests.end_to_end.local_stack import ROOT, bash, edit, finish, git
from workflows.contract.judging import Verdict
from workflows.contract.session import StopReason, TurnEnd

PACKAGE = "idna==3.10"
MODULE = "idna/core.py"
RIGHT = "len(label) > 63"
WRONG = "len(label) > 64"
TASK = "Labels of 64 octets are accepted, though 63 are the most. Find out why and mend it."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The package's repository, with a limit that is off by one."""
    download = ["download", "--retries=10", "--no-deps", "--no-binary=:all:", PACKAGE]
    pip = [sys.executable, "-m", "pip", *download, "-d", str(tmp_path)]
    subprocess.run(pip, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    # The archive is pinned, and tarfile of Python 3.11.2 knows no filters yet.
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(tmp_path)], check=True)
    folder = tmp_path / archive.name.removesuffix(".tar.gz")
    module = folder / MODULE
    text = module.read_text()
    assert RIGHT in text
    module.write_text(text.replace(RIGHT, WRONG))
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "import")
    return folder


def test_a_session_repairs_it_on_a_branch_that_passes_its_suite(
    stack_of: StackFactory, project: Path, tmp_path: Path
) -> None:
    """`overnight run` finds the project's checks by itself and ends with its pull request.

    The project has asked for lint rules that its own code breaks: the model is told of that once,
    and it is neither hidden nor held against the repair.
    """
    replies = [
        bash("python3 -m pytest -q 2>&1 | tail -20"),
        bash("grep -rn 'len(label)' idna"),
        edit(MODULE, WRONG, RIGHT),
        bash("python3 -m pytest -q 2>&1 | tail -3"),
        finish("Limit labels to 63 octets"),
        finish("Limit labels to 63 octets"),
    ]
    stack = stack_of({"Labels of 64": replies})
    stack.start()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "run", "--repo", str(project), "-o", "id", TASK],
        env={**stack.environment(), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    session = done.stdout.strip()
    (record,) = stack.pull_requests(session)
    assert [change.path for change in record.files] == [MODULE]
    assert {check.name: check.passed for check in record.checks} == {"ruff": False, "pytest": True}
    git(project, "worktree", "add", "--quiet", str(tmp_path / "tree"), record.branch)
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(suite, cwd=tmp_path / "tree", check=True, capture_output=True)
    view = stack.gateway.session(session).view
    assert view.last == TurnEnd(
        turn=1, reason=StopReason.FINISHED, summary="Limit labels to 63 octets"
    )
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.NO_WORSE
    assert view.verdict.counts.blocking == 0
    assert view.verdict.tests.failed == 0 < view.verdict.tests_at_base.failed
    assert len(stack.requests()) == len(replies)
    stack.close([session])
