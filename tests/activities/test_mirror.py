"""The mirrors bring commits, hand them to sandboxes and say plainly why they cannot."""

import asyncio
import os
from pathlib import Path

import pytest
from git import Repo
from temporalio.exceptions import ApplicationError

from activities.git.bare import DIFF_CUT, DIFF_LIMIT_BYTES, whole_lines
from activities.mirror import Mirrors
from runtime.settings import Settings
from tests.activities.repositories import checkout, commit_files, make_origin, named
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.sandbox import Repository

BRANCH = "overnight/s1"


async def test_the_tip_of_the_base_branch_is_fetched(mirrors: Mirrors, origin: Repo):
    """Without a wanted commit, the base branch's newest counts, each time anew."""
    assert await mirrors.fetch(named(origin)) == origin.head.commit.hexsha
    newer = commit_files(origin, {"more": "x"})
    assert await mirrors.fetch(named(origin)) == newer


async def test_a_commit_of_no_branch_is_fetched(mirrors: Mirrors, origin: Repo):
    """A person may name a commit that is only on a detached HEAD, or nowhere at all."""
    origin.git.checkout("--detach")
    loose = commit_files(origin, {"loose": "x"})
    origin.git.checkout("main")
    assert await mirrors.fetch(named(origin, loose)) == loose


async def test_a_commit_once_fetched_needs_no_remote(mirrors: Mirrors, origin: Repo):
    """A retry succeeds though the branch is gone."""
    commit = await mirrors.fetch(named(origin))
    origin.git.checkout("--orphan", "other")
    origin.git.branch("-D", "main")
    assert await mirrors.fetch(named(origin, commit)) == commit


async def test_fetches_at_once_agree(mirrors: Mirrors, origin: Repo):
    """Sessions that start together share a mirror without harming each other."""
    found = await asyncio.gather(*(mirrors.fetch(named(origin)) for _ in range(8)))
    assert set(found) == {origin.head.commit.hexsha}


async def test_a_linked_worktree_and_a_bare_repository_are_repositories(
    mirrors: Mirrors, origin: Repo, tmp_path: Path
):
    """Both are common places of code."""
    origin.git.worktree("add", str(tmp_path / "tree"), "-b", "side")
    origin.git.clone("--bare", origin.working_dir, str(tmp_path / "bare.git"))
    for name in ("tree", "bare.git"):
        repository = Repository(url=str(tmp_path / name), base="main")
        assert await mirrors.fetch(repository) == origin.head.commit.hexsha


async def test_a_shallow_clone_gives_its_sandbox_what_it_has(
    mirrors: Mirrors, origin: Repo, tmp_path: Path
):
    """The seed of a shallow clone is shallow at the same commit, and whole for git."""
    commit_files(origin, {"second": "x"})
    origin.git.clone("--depth=1", f"file://{origin.working_dir}", str(tmp_path / "shallow"))
    repository = Repository(url=str(tmp_path / "shallow"), base="main")
    commit = await mirrors.fetch(repository)
    await mirrors.seed(repository, commit, BRANCH, tmp_path / "work/.git")
    workspace = checkout(tmp_path / "work/.git")
    workspace.git.fsck("--full")
    assert workspace.git.rev_list("HEAD").split() == [commit]


@pytest.mark.parametrize(
    ("base", "commit", "message"),
    [
        ("gone", None, "its branches are: main, side"),
        ("-f", None, "no branch '-f'"),
        ("main:refs/heads/x", None, "no branch"),
        ("main", "1" * 40, "no such commit"),
        ("main", "--upload-pack=evil", "is not a commit"),
        ("main", "HEAD", "is not a commit"),
    ],
)
async def test_what_is_missing_is_named(
    mirrors: Mirrors, origin: Repo, base: str, commit: str | None, message: str
):
    """A wrong branch or commit cannot be mended by a retry, and the message helps."""
    origin.git.branch("side")
    wanted = CommitSha(commit) if commit else None
    with pytest.raises(ApplicationError, match=message) as refused:
        await mirrors.fetch(Repository(url=str(origin.working_dir), base=base, commit=wanted))
    assert (refused.value.type, refused.value.non_retryable) == (Failure.REPOSITORY, True)


async def test_a_tree_is_not_a_commit_to_start_from(mirrors: Mirrors, origin: Repo):
    """Forty digits that name something else are refused."""
    tree = CommitSha(origin.head.commit.tree.hexsha)
    with pytest.raises(ApplicationError, match="name a commit"):
        await mirrors.fetch(named(origin, tree))


async def test_a_repository_without_commits_says_so(mirrors: Mirrors, tmp_path: Path):
    """An empty repository has no branch to start from."""
    Repo.init(tmp_path / "empty")
    with pytest.raises(ApplicationError, match="push a first commit"):
        await mirrors.fetch(Repository(url=str(tmp_path / "empty"), base="main"))


async def test_a_broken_repository_is_not_retried(mirrors: Mirrors, origin: Repo):
    """Missing objects are for a person to mend."""
    blob = origin.head.commit.tree["README.md"].hexsha
    (Path(origin.git_dir) / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(ApplicationError, match="broken") as refused:
        await mirrors.fetch(named(origin))
    assert refused.value.type == Failure.REPOSITORY


def test_local_paths_stay_under_the_allowed_folders(settings: Settings, tmp_path: Path):
    """A link out of an allowed folder does not help; a folder without git is refused."""
    make_origin(tmp_path / "outside")
    (tmp_path / "allowed/plain").mkdir(parents=True)
    make_origin(tmp_path / "allowed/code")
    (tmp_path / "allowed/link").symlink_to(tmp_path / "outside")
    mirrors = Mirrors(settings.model_copy(update={"local_roots": (tmp_path / "allowed",)}))
    assert mirrors.check_url(f"{tmp_path}/allowed/../allowed/code/") == f"{tmp_path}/allowed/code"
    for name, why in [
        ("outside", "OVERNIGHT_LOCAL_ROOTS"),
        ("allowed/link", "OVERNIGHT_LOCAL_ROOTS"),
        ("allowed/plain", "no git repository"),
        ("allowed/absent", "no git repository"),
    ]:
        with pytest.raises(ApplicationError, match=why):
            mirrors.check_url(str(tmp_path / name))
    with pytest.raises(ApplicationError, match="scheme") as refused:
        mirrors.check_url("file:///etc")
    assert (refused.value.type, refused.value.non_retryable) == (Failure.REPOSITORY, True)


async def test_an_unreachable_host_is_worth_a_retry(settings: Settings):
    """A refused connection may be gone the next time."""
    mirrors = Mirrors(settings.model_copy(update={"git_hosts": ("host.invalid",)}))
    with pytest.raises(ApplicationError, match="cannot be reached") as failed:
        await mirrors.fetch(Repository(url="https://host.invalid/a", base="main"))
    assert (failed.value.type, failed.value.non_retryable) == (Failure.TEMPORARY, False)


async def test_files_are_read_from_the_commit(mirrors: Mirrors, origin: Repo):
    """Odd names are listed; links, folders and absent files are no files."""
    odd = 'sp ace\n"quote" -ü'
    (Path(origin.working_dir) / "link").symlink_to("/etc/passwd")
    commit = commit_files(origin, {odd: "odd\n", "-dash": "x"})
    repository = named(origin)
    assert await mirrors.list_files(repository, commit) == sorted(
        ["-dash", "README.md", "link", odd, "src/app.py"]
    )
    assert await mirrors.read_file(repository, commit, odd) == b"odd\n"
    assert await mirrors.read_file(repository, commit, "-dash") == b"x"
    for absent in ("link", "src", "src/", "nothing", "", ".", "*", ":(top)README.md", "a\0b"):
        assert await mirrors.read_file(repository, commit, absent) is None
    with pytest.raises(ApplicationError, match="at most 3"):
        await mirrors.read_file(repository, commit, "README.md", limit_bytes=3)


async def test_a_seed_holds_the_history_and_nothing_else(
    mirrors: Mirrors, origin: Repo, tmp_path: Path
):
    """A sandbox learns neither later commits nor where the mirror is, and can work at once."""
    first = await mirrors.fetch(named(origin))
    later = commit_files(origin, {"secret": "later"})
    await mirrors.fetch(named(origin))
    folder = tmp_path / "work/.git"
    folder.mkdir(parents=True)
    (folder / "left-by-a-killed-attempt").touch()
    for _ in range(2):
        await mirrors.seed(named(origin), first, BRANCH, folder)
    workspace = checkout(folder)
    workspace.git.fsck("--full")
    assert (workspace.active_branch.name, workspace.head.commit.hexsha) == (BRANCH, first)
    assert workspace.git.status("--porcelain") == ""
    assert (Path(workspace.working_dir) / "src/app.py").exists()
    assert later not in workspace.git.cat_file("--batch-all-objects", "--batch-check")
    assert not workspace.remotes
    assert {path.name for path in folder.iterdir()} >= {"HEAD", "config", "info", "objects", "refs"}
    for absent in ("hooks", "left-by-a-killed-attempt", "objects/info/alternates"):
        assert not (folder / absent).exists()
    (Path(workspace.working_dir) / "__pycache__").mkdir()
    (Path(workspace.working_dir) / "__pycache__/x.pyc").touch()
    assert workspace.git.status("--porcelain") == ""
    assert workspace.git.config("user.email") == "overnight@localhost"


@pytest.mark.parametrize("url", ["ext::sh -c 'touch {ran}'", "../nowhere", "ssh://-oEvil/x"])
async def test_submodules_are_left_alone(mirrors: Mirrors, origin: Repo, tmp_path: Path, url: str):
    """Wherever they point to, nothing is fetched and nothing runs; their folders are empty."""
    ran = tmp_path / "ran"
    (Path(origin.working_dir) / ".gitmodules").write_text(
        f'[submodule "lib"]\n\tpath = lib\n\turl = {url.format(ran=ran)}\n'
    )
    origin.git.add(".gitmodules")
    origin.git.update_index("--add", "--cacheinfo", f"160000,{origin.head.commit.hexsha},lib")
    origin.git.commit("-m", "a submodule")
    commit = await mirrors.fetch(named(origin))
    assert commit == origin.head.commit.hexsha
    folder = tmp_path / "work/.git"
    folder.mkdir(parents=True)
    await mirrors.seed(named(origin), commit, BRANCH, folder)
    workspace = checkout(folder)
    assert list((Path(workspace.working_dir) / "lib").iterdir()) == []
    assert workspace.git.status("--porcelain") == ""
    assert not ran.exists()


async def test_a_deleted_mirror_is_made_again(
    settings: Settings, mirrors: Mirrors, origin: Repo, tmp_path: Path
):
    """Nothing but the remote and the store is needed to go on."""
    commit = await mirrors.fetch(named(origin))
    settings.mirrors_path.rename(tmp_path / "gone")
    assert await mirrors.read_file(named(origin), commit, "README.md") == b"hello\n"


async def test_a_lock_left_by_a_killed_git_does_not_block(
    settings: Settings, mirrors: Mirrors, origin: Repo
):
    """After a crash of the machine the refs' locks are still there; they do not stay."""
    await mirrors.fetch(named(origin))
    newer = commit_files(origin, {"newer": "x"})
    (mirror,) = settings.mirrors_path.glob("*.git")
    lock = mirror / "refs/overnight/commits" / f"{newer}.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    assert await mirrors.fetch(named(origin)) == newer


async def test_changes_count_lines_and_follow_renames(mirrors: Mirrors, origin: Repo):
    """A renamed file is one change, under its new name."""
    base = await mirrors.fetch(named(origin))
    origin.git.mv("README.md", "READ ME\t.md")
    commit = commit_files(origin, {"src/app.py": "print('bye')\nprint()\n", "bin": "\0\1"})
    await mirrors.fetch(named(origin))
    found = await mirrors.changes(named(origin), base, commit)
    assert [(file.path, file.added, file.removed) for file in found] == [
        ("READ ME\t.md", 0, 0),
        ("bin", 0, 0),
        ("src/app.py", 2, 1),
    ]
    diff = await mirrors.diff(named(origin), base, commit)
    assert b"rename from README.md" in diff
    assert b"-print('hello')\n+print('bye')\n" in diff


async def test_a_diff_of_any_length_is_cut(mirrors: Mirrors, origin: Repo):
    """Few bytes of work can make a diff that no memory holds; its last line says it is cut."""
    base = await mirrors.fetch(named(origin))
    line = "a" * 99
    commit = commit_files(origin, dict.fromkeys(("one", "two"), f"{line}\n" * 100_000))
    await mirrors.fetch(named(origin))
    diff = await mirrors.diff(named(origin), base, commit)
    lines = diff.decode().splitlines()
    assert len(diff) <= DIFF_LIMIT_BYTES + len(DIFF_CUT)
    assert lines[-1].startswith("\\ The diff is cut here")
    assert lines[-2] == f"+{line}"


def test_a_diff_is_cut_between_lines_that_say_something():
    """Half a line says nothing, and neither does the head of a file of which nothing is shown."""
    whole = b"diff --git a/a b/a\n@@ -1 +1 @@\n-a\n+b\n"
    assert whole_lines(whole + b"+half") == whole
    assert whole_lines(whole + b"diff --git a/b b/b\nnew file") == whole
    assert whole_lines(b"diff --git a/b b/b\nnew file mode 100644\nin") == (
        b"diff --git a/b b/b\nnew file mode 100644\n"
    )
