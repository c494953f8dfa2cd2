"""The script that takes the work out, in repositories as an agent may leave them."""

import subprocess
from pathlib import Path

import pytest

from activities.sandbox import export, preparation
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


def names_in(workspace: Path, tree: str) -> list[str]:
    listed = shell(workspace, f"git ls-tree -r -z --name-only {tree}")
    return listed.stdout.decode().split("\0")[:-1]


def test_a_file_of_the_base_that_git_would_ignore_stays_without_an_index(workspace: Path):
    """The base says then which files git knows."""
    shell(workspace, "echo '*.log' > .gitignore; echo x > a.log; git add -Af; git commit -qm 2")
    base = base_of(workspace)
    assert shell(workspace, "rm .git/index; echo two > a.txt").returncode == 0
    found = export.parse(shell(workspace, export.script(base)).stdout)
    assert names_in(workspace, found.tree) == [".gitignore", "a.log", "a.txt", "new.txt"]


def test_an_index_that_cannot_be_copied_is_refused(workspace: Path):
    """Else nothing would be known of what git ignores."""
    base = base_of(workspace)
    shell(workspace, "rm .git/index; mkdir .git/index")
    done = shell(workspace, export.script(base))
    assert done.returncode != 0
    assert b".git/index" in done.stderr


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param("git update-index --assume-unchanged a.txt", id="assume-unchanged"),
        pytest.param("git update-index --skip-worktree a.txt", id="skip-worktree"),
        pytest.param(
            "git update-index --skip-worktree a.txt; git update-index --assume-unchanged a.txt",
            id="both",
        ),
        pytest.param(
            "mkdir in; echo 1 > in/f; git add in; git commit -qm 2; "
            "git sparse-checkout set --no-cone in",
            id="sparse",
        ),
        pytest.param(
            "mkdir in out; echo 1 > in/f; echo 1 > out/f; echo 1 > out/g; git add in out; "
            "git commit -qm 2; git sparse-checkout set --cone --sparse-index in; mkdir -p out; "
            "echo new > out/new",
            id="sparse folders",
        ),
    ],
)
def test_no_mark_of_the_index_hides_an_edit(workspace: Path, hide: str):
    """Every file counts that is there; those that a sparse checkout left out are not removed."""
    assert shell(workspace, hide).returncode == 0
    base = base_of(workspace)
    before = names_in(workspace, base)
    (workspace / "a.txt").write_text("edited\n")
    done = shell(workspace, export.script(base))
    assert done.returncode == 0, done.stderr
    found = export.parse(done.stdout)
    assert shell(workspace, f"git show {found.tree}:a.txt").stdout == b"edited\n"
    present = {"new.txt", *(["out/new"] if (workspace / "out").is_dir() else [])}
    assert set(names_in(workspace, found.tree)) == {*before, *present}


NESTED = "mkdir -p d/own && cd d/own && git init -q && echo deep > f"
COMMITTED = f"{NESTED} && git add f && git commit -qm own"


@pytest.mark.parametrize(
    "nest",
    [
        pytest.param(NESTED, id="without a commit"),
        pytest.param(COMMITTED, id="with a commit"),
        pytest.param(f"{COMMITTED} && cd ../.. && git add -A && git commit -qm 2", id="known"),
        pytest.param("git worktree add -q d/own -b other && echo deep > d/own/f", id="worktree"),
    ],
)
def test_a_repository_in_the_workspace_is_named_instead_of_lost(workspace: Path, nest: str):
    """The whole work is refused until somebody mends it; what is salvaged is all but that."""
    base = base_of(workspace)
    assert shell(workspace, nest).returncode == 0
    (workspace / "d/beside").write_text("beside\n")
    refused = shell(workspace, export.script(base))
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"\n  'd/own'\nremove the .git in them" in refused.stderr
    done = shell(workspace, export.script(base, salvage=True))
    assert done.returncode == 0, done.stderr
    found = export.parse(done.stdout)
    assert found.left_out == ("d/own",)
    assert names_in(workspace, found.tree) == ["a.txt", "d/beside", "new.txt"]
    assert found.bundle.startswith(b"# v2 git bundle\n")
    shell(workspace, "rm -rf d/own/.git; git rm -q --cached d/own")
    mended = export.parse(shell(workspace, export.script(base)).stdout)
    assert "d/own/f" in names_in(workspace, mended.tree)


def test_an_ignored_repository_is_no_work(workspace: Path):
    """As other files that git ignores."""
    base = base_of(workspace)
    shell(workspace, f"echo /d/own/ > .gitignore; {COMMITTED}")
    done = shell(workspace, export.script(base))
    assert done.returncode == 0, done.stderr
    found = export.parse(done.stdout)
    assert names_in(workspace, found.tree) == [".gitignore", "a.txt", "new.txt"]


def test_names_of_any_kind_are_left_out(workspace: Path):
    """None is taken for a pattern or for a line of the message."""
    base = base_of(workspace)
    odd = ["*", ":(top)x", "a\nb", "-n", "it's"]
    for name in odd:
        (workspace / name).mkdir()
        shell(workspace / name, "git init -q")
    done = shell(workspace, export.script(base, salvage=True))
    assert done.returncode == 0, done.stderr
    found = export.parse(done.stdout)
    assert set(found.left_out) == set(odd)
    assert names_in(workspace, found.tree) == ["a.txt", "new.txt"]
    assert b"'a?b'" in shell(workspace, export.script(base)).stderr


@pytest.fixture
def parent(workspace: Path) -> Path:
    """Return the repository with a submodule at `lib` that is not checked out."""
    other = workspace.parent / "lib"
    other.mkdir()
    shell(other, "git init -q -b main && echo l > l && git add l && git commit -qm lib")
    allowed = "git -c protocol.file.allow=always"
    added = shell(workspace, f"{allowed} submodule --quiet add {other} lib && git commit -qm 2")
    assert added.returncode == 0, added.stderr
    shell(workspace, "git submodule --quiet deinit -f lib")
    (workspace / "new.txt").unlink()
    return workspace


CHECKED_OUT = "git -c protocol.file.allow=always submodule --quiet update --init"


@pytest.mark.parametrize(
    "fill",
    [
        pytest.param("echo mine > lib/mine", id="not checked out"),
        pytest.param(f"{CHECKED_OUT}; echo mine > lib/mine", id="a new file"),
        pytest.param(f"{CHECKED_OUT}; echo mine > lib/l", id="an edit"),
        pytest.param("echo 'gitdir: nowhere' > lib/.git; echo mine > lib/mine", id="broken"),
    ],
)
def test_files_put_into_a_submodule_are_named_instead_of_lost(parent: Path, fill: str):
    """Git says nothing of them, checked out or not."""
    base = base_of(parent)
    assert shell(parent, fill).returncode == 0
    refused = shell(parent, export.script(base))
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"\n  'lib'\nremove these files" in refused.stderr
    found = export.parse(shell(parent, export.script(base, salvage=True)).stdout)
    assert (found.left_out, found.bundle) == (("lib",), b"")


@pytest.mark.parametrize("then", ["true", CHECKED_OUT, "rmdir lib && git reset -q --hard"])
def test_a_submodule_that_nobody_touched_is_as_at_the_base(parent: Path, then: str):
    """Whether it is checked out or not."""
    base = base_of(parent)
    assert shell(parent, then).returncode == 0
    done = shell(parent, export.script(base))
    assert done.returncode == 0, done.stderr
    found = export.parse(done.stdout)
    assert (found.left_out, found.bundle) == ((), b"")


def test_what_a_setup_put_into_a_submodule_is_no_work(parent: Path):
    """It was there before the work began, as other results of a set-up."""
    base = base_of(parent)
    shell(parent, "echo theirs > lib/theirs")
    excluded = shell(parent, f"set -e{preparation.EXCLUDE_FILLED}")
    assert excluded.returncode == 0, excluded.stderr
    done = shell(parent, export.script(base))
    assert done.returncode == 0, done.stderr
    assert export.parse(done.stdout).bundle == b""


def test_a_salvaged_export_of_all_is_like_any_other(workspace: Path):
    """Equal files give an equal commit, and nothing is said to be left out."""
    base = base_of(workspace)
    wanted = [export.script(base), export.script(base, salvage=True)]
    first, second = (export.parse(shell(workspace, each).stdout) for each in wanted)
    assert (first.tip, first.tree, first.left_out) == (second.tip, second.tree, ())
    assert second.left_out == ()
