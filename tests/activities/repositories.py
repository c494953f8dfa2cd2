"""Real git repositories for tests: an origin of a person, and workspaces such as sandboxes have."""

from pathlib import Path
from typing import NamedTuple

from git import Repo

from workflows.contract.base import CommitSha
from workflows.contract.sandbox import Repository, WorkBundle

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@localhost",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@localhost",
}


def make_origin(folder: Path, files: dict[str, str] | None = None) -> Repo:
    """Make a repository with one commit on `main`."""
    repo = Repo.init(folder, initial_branch="main")
    repo.git.update_environment(**IDENTITY)
    commit_files(repo, files or {"README.md": "hello\n", "src/app.py": "print('hello')\n"})
    return repo


def commit_files(repo: Repo, files: dict[str, str]) -> CommitSha:
    """Write files and commit everything."""
    for name, text in files.items():
        path = Path(repo.working_dir) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    repo.git.add("--all", "--force")
    repo.git.commit("--allow-empty", "--message", "work")
    return CommitSha(repo.head.commit.hexsha)


def named(repo: Repo, commit: CommitSha | None = None) -> Repository:
    """Name a repository as a session does."""
    return Repository(url=str(repo.working_dir), base="main", commit=commit)


class Work(NamedTuple):
    """A bundle and what it is said to hold."""

    bundle: bytes
    said: WorkBundle


def bundle_work(workspace: Repo, base: CommitSha, key: str | None = "work/1") -> Work:
    """Bundle a workspace's HEAD as a sandbox does."""
    file = Path(workspace.git_dir) / "work.bundle"
    workspace.git.bundle("create", "--quiet", str(file), "HEAD", f"^{base}")
    head = workspace.head.commit
    said = WorkBundle(base=base, tip=CommitSha(head.hexsha), tree=head.tree.hexsha, store_key=key)
    return Work(file.read_bytes(), said)


def checkout(git_folder: Path) -> Repo:
    """Check a seeded git folder out, as a sandbox does."""
    repo = Repo(git_folder.parent)
    repo.git.reset("--hard")
    return repo
