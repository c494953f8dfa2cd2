"""What `run --repo` finds out, with real repositories."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cli import repository
from cli.problems import CliProblem
from tests.cli.running import overnight
from tests.cli.scripted_gateway import Reply, Script, problem
from tests.cli.sessions import resource

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a repository with one commit on `trunk`."""
    path = tmp_path / "repo"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=trunk")
    commit(path, "first.txt")
    return path


def commit(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    git(folder, "add", name)
    git(folder, "commit", "--quiet", "--message", name)
    return git(folder, "rev-parse", "HEAD")


def refused(text: str, base: str | None = None) -> CliProblem:
    with pytest.raises(CliProblem) as caught:
        repository.choose(text, base)
    assert caught.value.hint
    return caught.value


def test_a_path_inside_means_its_repository_at_its_commit_and_branch(repo: Path):
    """A subfolder stands for the whole repository, at HEAD, proposed to its branch."""
    (repo / "sub").mkdir()
    chosen = repository.choose(str(repo / "sub"), None)
    assert chosen.repository.url == str(repo)
    assert chosen.repository.base == "trunk"
    assert chosen.repository.commit == git(repo, "rev-parse", "HEAD")
    assert chosen.notes == ()


def test_uncommitted_changes_are_named_and_left_out(repo: Path):
    """A dirty tree starts from HEAD, with a note of at most ten files."""
    (repo / "first.txt").write_text("changed")
    for number in range(12):
        (repo / f"new {number:02}.txt").write_text("")
    chosen = repository.choose(str(repo), None)
    assert chosen.repository.commit == git(repo, "rev-parse", "HEAD")
    (note,) = chosen.notes
    assert "first.txt, new 00.txt" in note
    assert note.endswith("and 3 more")


def test_looking_writes_nothing_and_runs_no_program_of_the_repository(repo: Path, tmp_path: Path):
    """The index keeps its bytes, and a configured file monitor is not started."""
    git(repo, "config", "core.fsmonitor", f"touch {tmp_path / 'ran'}; false")
    (repo / "first.txt").touch()
    before = (repo / ".git" / "index").read_bytes()
    repository.choose(str(repo), None)
    assert (repo / ".git" / "index").read_bytes() == before
    assert not (tmp_path / "ran").exists()


def test_a_named_base_starts_from_its_tip(repo: Path):
    """`--base` means the branch's newest commit, wherever HEAD stands."""
    tip = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "--quiet", "-b", "other")
    commit(repo, "second.txt")
    chosen = repository.choose(str(repo), "trunk").repository
    assert (chosen.base, chosen.commit) == ("trunk", tip)


def test_an_unknown_base_is_refused_with_those_that_exist(repo: Path):
    """A misspelt branch is an error that lists the branches."""
    problem = refused(str(repo), "nowhere")
    assert (problem.code, problem.exit_code) == ("base_unknown", 3)
    assert "trunk" in problem.hint


def test_a_detached_head_needs_a_base(repo: Path):
    """Without a branch there is nothing to propose to; `--base` names it."""
    git(repo, "checkout", "--quiet", "--detach")
    problem = refused(str(repo))
    assert problem.code == "head_detached"
    assert "--base" in problem.hint
    assert repository.choose(str(repo), "trunk").repository.base == "trunk"


def test_a_bare_repository_is_fine(repo: Path, tmp_path: Path):
    """A bare repository starts from its HEAD's branch."""
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(repo), str(bare))
    chosen = repository.choose(str(bare), None)
    assert (chosen.repository.url, chosen.repository.base) == (str(bare), "trunk")
    assert chosen.notes == ()


def test_a_repository_without_commits_is_refused(tmp_path: Path):
    """An unborn branch cannot be started from."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    assert refused(str(tmp_path)).code == "repository_empty"


def test_a_folder_without_repository_is_refused(tmp_path: Path):
    """A plain folder is an error with status 3, and so is a path where nothing is."""
    plain, missing = refused(str(tmp_path)), refused(str(tmp_path / "nothing"))
    assert (plain.code, plain.exit_code) == ("repository_unknown", 3)
    assert "nothing at" in missing.detail


@pytest.mark.parametrize(
    "url", ["https://github.com/a/b.git", "ssh://git@github.com/a/b", "git@github.com:a/b.git"]
)
def test_a_url_is_passed_on(url: str):
    """A URL is not asked for its branches: `main` is assumed and said, unless a base is named."""
    assumed = repository.choose(url, None)
    assert (assumed.repository.url, assumed.repository.base) == (url, "main")
    assert "--base" in assumed.notes[0]
    named = repository.choose(url, "dev")
    assert (named.repository.base, named.repository.commit, named.notes) == ("dev", None, ())


def test_a_repository_in_the_middle_of_a_merge_starts_from_its_commit(repo: Path):
    """What is half merged, and a lock that a killed git left, are the person's own."""
    git(repo, "checkout", "--quiet", "-b", "other")
    (repo / "first.txt").write_text("other")
    git(repo, "commit", "--quiet", "--all", "--message", "other")
    git(repo, "checkout", "--quiet", "trunk")
    (repo / "first.txt").write_text("mine")
    git(repo, "commit", "--quiet", "--all", "--message", "mine")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "--quiet", "other")
    (repo / ".git/index.lock").touch()
    chosen = repository.choose(str(repo), None)
    assert chosen.repository.commit == git(repo, "rev-parse", "HEAD")
    assert any("first.txt" in note for note in chosen.notes)


@pytest.mark.parametrize(
    "broken", [".git/HEAD", ".git/config", ".git/objects", ".git/refs"], ids=lambda name: name[5:]
)
def test_a_repository_that_is_broken_is_refused(repo: Path, broken: str):
    """With git's own word for it where it has one, and never with a traceback."""
    place = repo / broken
    if place.is_dir():
        shutil.rmtree(place)
    place.write_text("nonsense\n[")
    problem = refused(str(repo))
    assert problem.code in ("repository_unknown", "repository_empty")
    assert str(repo) in problem.detail


def test_a_password_in_a_url_is_not_shown(script: Script, remote: dict[str, str]):
    """Nor is where a session starts from said before there is one."""
    script.on("POST /sessions", problem(403, "repository_refused", "no"), Reply(202, resource()))
    run = ("run", "Fix it", "--repo", "https://me:canary@github.com/a/b", "-d")
    refused, done = (overnight(*run, environment=remote) for _ in range(2))
    assert "starts from" not in refused.stderr
    assert "starts from branch 'main' of https://***@github.com/a/b" in done.stderr
    assert "canary" not in refused.stderr + done.stderr
