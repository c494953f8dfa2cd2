"""Our bare copies of the sessions' repositories: the only git repositories the host works in.

Sandboxes, checks and pull requests take commits from here and bring work here. No repository that
a sandbox can write to is ever opened: work arrives as a bundle, is checked, and only then counts.
Objects stay for good; a ref `refs/overnight/…` says that a commit is here whole.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from pydantic import SecretStr

from activities.failures import permanent
from activities.git import bare as bare_repository
from activities.git import exchange, revisions
from activities.git.bare import BareRepository, checked_sha
from activities.git.program import GitProgram
from activities.git.revisions import Difference
from runtime.settings import Settings
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.pull_request import FileChange
from workflows.contract.repository_url import RepositoryUrl, parse_repository_url
from workflows.contract.sandbox import Repository, WorkBundle

FILE_LIMIT_BYTES = 1024 * 1024
"""`read_file` refuses larger files, unless told otherwise."""

_BRANCH = re.compile(r"overnight/[A-Za-z0-9_][A-Za-z0-9_-]{0,199}")
_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


class Mirrors:
    """One bare mirror per repository URL, made when it is first needed.

    Every method may run twice, at once or after a kill at any instant, with the same outcome.
    Those that name a commit fetch it when the mirror does not hold it. All raise
    `ApplicationError`: `repository` when a person must act, `temporary` when a retry may help.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check_url(self, url: str) -> str:
        """Return the URL's canonical spelling; a local path is resolved and must be a repository.

        Raises:
            ApplicationError: `repository`, saying what is wrong and what to do.
        """
        return self._checked(url).canonical

    async def fetch(self, repository: Repository) -> CommitSha:
        """Bring the wanted commit, or else the tip of the base branch, with its whole history."""
        return await asyncio.to_thread(self._fetch, repository)

    async def read_file(
        self,
        repository: Repository,
        commit: CommitSha,
        path: str,
        *,
        limit_bytes: int = FILE_LIMIT_BYTES,
    ) -> bytes | None:
        """Return a regular file's bytes; none when there is no such file.

        Raises:
            ApplicationError: `repository`, when the file is larger than `limit_bytes`.
        """
        return await self._with(
            repository, commit, bare_repository.read_file, commit, path, limit_bytes
        )

    async def list_files(self, repository: Repository, commit: CommitSha) -> list[str]:
        """Return the paths of the first 100,000 files, in git's order."""
        return await self._with(repository, commit, bare_repository.list_files, commit)

    async def seed(
        self, repository: Repository, commit: CommitSha, branch: str, folder: Path
    ) -> None:
        """Make `folder` a git folder (a future `.git`) with the history of `commit` and no more.

        HEAD is `branch` at `commit`; there are no remotes, hooks or links to the mirror, and
        nothing is checked out. What was at `folder` is removed first.
        """
        _check_branch(branch)
        await self._with(repository, commit, exchange.seed, commit, branch, folder)

    async def take(self, repository: Repository, work: WorkBundle, bundle: bytes | None) -> None:
        """Bring a sandbox's work into the mirror, every object checked; none is the base's files.

        Raises:
            ApplicationError: `git_tampered`, when the bundle is broken, larger than 512 MiB or
                holds another commit or tree than `work` says.
        """
        await self._with(repository, work.base, exchange.take, work, bundle)

    async def commit(
        self,
        repository: Repository,
        *,
        tree: str,
        parent: CommitSha,
        message: str,
        authored_at: int,
    ) -> CommitSha:
        """Make a commit of a tree that the mirror holds; equal arguments give the same commit."""
        return await self._with(
            repository, parent, exchange.commit_tree, tree, parent, message, authored_at
        )

    async def tip(self, repository: Repository, branch: str) -> CommitSha | None:
        """Ask the remote where a session's branch is; none when there is none."""
        _check_branch(branch)
        return await asyncio.to_thread(lambda: exchange.tip(self._open(repository), branch))

    async def push(
        self, repository: Repository, branch: str, commit: CommitSha, expected: CommitSha | None
    ) -> None:
        """Make the remote's branch point at `commit`, if it points at `expected` (none: is absent).

        A branch that points at `commit` already is a success. Nothing is ever overwritten.

        Raises:
            ApplicationError: `branch_moved`, when it points elsewhere; `repository`, when the
                remote refuses, with its words.
        """
        _check_branch(branch)
        await self._with(repository, commit, exchange.push, branch, commit, expected)

    async def diff(self, repository: Repository, base: CommitSha, commit: CommitSha) -> bytes:
        """Return the change as `git diff` prints it, with full object names.

        Of one longer than 16 MiB the beginning is returned; its last line says so.
        """
        return await self._with(
            repository, base, bare_repository.diff, checked_sha(base), checked_sha(commit)
        )

    async def changes(
        self, repository: Repository, base: CommitSha, commit: CommitSha
    ) -> list[FileChange]:
        """Return every changed file with its counts, in git's order."""
        return await self._with(
            repository, base, bare_repository.changes, checked_sha(base), checked_sha(commit)
        )

    async def differences(
        self, repository: Repository, base: CommitSha, commit: CommitSha
    ) -> list[Difference]:
        """Return every file that differs, with its modes and blobs; nothing counts as renamed."""
        return await self._with(repository, base, revisions.differences, base, commit)

    async def read_blobs(
        self,
        repository: Repository,
        base: CommitSha,
        names: Iterable[str],
        *,
        limit_bytes: int = FILE_LIMIT_BYTES,
        total_bytes: int,
    ) -> dict[str, bytes]:
        """Return blobs by name, or by `<commit>:<path>`; `base` must be what the work starts from.

        Those larger than `limit_bytes`, or beyond `total_bytes` in all, are left out.
        """
        return await self._with(
            repository,
            base,
            revisions.blobs,
            names,
            limit_bytes=limit_bytes,
            total_bytes=total_bytes,
        )

    async def _with(
        self,
        repository: Repository,
        commit: CommitSha,
        function: Callable[Concatenate[BareRepository, _Given], _Found],
        *arguments: _Given.args,
        **options: _Given.kwargs,
    ) -> _Found:
        """Call a function, in a thread, with a mirror that holds the commit."""

        def call() -> _Found:
            bare = self._open(repository)
            if not bare.holds(checked_sha(commit)):
                exchange.obtain(bare, commit)
            return function(bare, *arguments, **options)

        return await asyncio.to_thread(call)

    def _fetch(self, repository: Repository) -> CommitSha:
        bare = self._open(repository)
        wanted = repository.commit
        commit = checked_sha(wanted) if wanted else exchange.tip_of_base(bare, repository.base)
        if not bare.holds(commit):
            exchange.obtain(bare, commit)
        return commit

    def _open(self, repository: Repository) -> BareRepository:
        url = self._checked(repository.url)
        name = hashlib.sha256(url.canonical.encode()).hexdigest()[:24]
        folder = self._settings.mirrors_path / f"{name}.git"
        bare = BareRepository(url, folder, GitProgram(folder, self._token_for(url)))
        bare.prepare()
        return bare

    def _token_for(self, url: RepositoryUrl) -> SecretStr | None:
        is_meant = url.host == self._settings.git_token_host
        return self._settings.git_token if is_meant else None

    def _checked(self, url: str) -> RepositoryUrl:
        try:
            parsed = parse_repository_url(url, self._settings.git_hosts)
        except ValueError as error:
            raise permanent(Failure.REPOSITORY, str(error)) from error
        return self._checked_path(parsed.canonical) if parsed.kind == "local" else parsed

    def _checked_path(self, text: str) -> RepositoryUrl:
        path = Path(os.path.realpath(text))
        roots = [Path(os.path.realpath(root)) for root in self._settings.local_roots]
        if not any(path.is_relative_to(root) for root in roots):
            allowed = ", ".join(str(root) for root in roots) or "no folder at all"
            why = f"allowed is {allowed}; move it or ask the operator to set OVERNIGHT_LOCAL_ROOTS"
            raise permanent(Failure.REPOSITORY, f"the local path {str(path)!r} is refused: {why}")
        if not _is_repository(path):
            why = "is no git repository; name the top folder of one, or run git init there"
            raise permanent(Failure.REPOSITORY, f"the local path {str(path)!r} {why}")
        return RepositoryUrl(kind="local", canonical=str(path))


def _is_repository(path: Path) -> bool:
    """Look only at names: git itself is not run in a repository that is not ours."""
    bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    return bare or (path / ".git").exists()


def _check_branch(branch: str) -> None:
    if not _BRANCH.fullmatch(branch):
        why = "only branches named overnight/<session> are made"
        raise permanent(Failure.REPOSITORY, f"the branch {branch[:200]!r} is refused: {why}")
