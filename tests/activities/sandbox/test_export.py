"""The script that takes the work out, in repositories as an agent may leave them."""

import subprocess
from pathlib import Path

import pytest

from activities.sandbox import export
from workflows.contract.base import CommitSha

CONFLICT = """
git checkout -q -b other && echo other > a.txt && git commit -qam other
git checkout -q main && echo mine > a.txt && git commit -qam mine
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a repository with one commit and a file that is not yet known to git."""
    path = tmp_path / "workspace"
    path.mkdir()
    made = shell(path, "git init -q -b main && echo one > a.txt && git add -A && git commit -qm 1")
    assert made.returncode == 0, made.stderr
    (path / "new.txt").write_text("new\n")
    return path


def shell(folder: Path, script: str) -> "subprocess.CompletedProcess[bytes]":
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    command = ["/bin/sh", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


def base_of(workspace: Path) -> CommitSha:
    return CommitSha(shell(workspace, "git rev-parse HEAD").stdout.decode().strip())


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("true", id="as it was"),
        pytest.param("touch .git/index.lock", id="a lock left by a killed git"),
        pytest.param("rm .git/index", id="without an index"),
        pytest.param("git checkout -q --detach", id="on no branch"),
        pytest.param(f"{CONFLICT} git merge -q other", id="in the middle of a merge"),
        pytest.param(f"{CONFLICT} git rebase -q other", id="in the middle of a rebase"),
        pytest.param("git bisect start -q HEAD", id="in the middle of a bisect"),
        pytest.param(
            "printf '#!/bin/sh\\nexit 1\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/*",
            id="with a hook that refuses",
        ),
        pytest.param("git config core.fsmonitor 'false'; git config commit.gpgsign true", id="own"),
    ],
)
def test_the_work_comes_out_whatever_git_is_at(workspace: Path, before: str):
    """Its files count, not the state of the repository around them."""
    base = base_of(workspace)
    shell(workspace, before)
    done = shell(workspace, export.script(base))
    assert done.returncode == 0, done.stderr
    found = export.parse(done.stdout)
    assert found.bundle
    names = shell(workspace, f"git ls-tree --name-only {found.tree}").stdout.split()
    assert names == [b"a.txt", b"new.txt"]


def test_a_base_that_is_replaced_is_the_base(workspace: Path):
    """Git may be told to read another commit in its place; then the work would be no difference."""
    base = base_of(workspace)
    assert shell(workspace, "git add -A && git commit -qm 2").returncode == 0
    assert shell(workspace, f"git replace {base} HEAD").returncode == 0
    found = export.parse(shell(workspace, export.script(base)).stdout)
    assert found.bundle


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("rm -rf .git", id="removed"),
        pytest.param("rm -rf .git; echo nonsense > .git", id="a file"),
        pytest.param("mv .git away; ln -s nowhere .git", id="a link to nowhere"),
        pytest.param("echo nonsense > .git/index", id="a broken index"),
        pytest.param("echo nonsense > .git/HEAD", id="a broken HEAD"),
        pytest.param("echo '[' >> .git/config", id="a broken configuration"),
        pytest.param("rm -rf .git/objects/*", id="without objects"),
    ],
)
def test_git_data_that_is_broken_is_refused_in_gits_words(workspace: Path, before: str):
    """The export fails, and says something that a person or a model can act on."""
    base = base_of(workspace)
    assert shell(workspace, before).returncode == 0
    done = shell(workspace, export.script(base))
    assert done.returncode != 0
    assert done.stderr.strip()
