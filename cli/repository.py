"""What a session needs to know of the person's own repository, asked from git; changes nothing."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from cli import wording
from cli.problems import CliProblem
from workflows.contract.base import CommitSha
from workflows.contract.problems import Code
from workflows.contract.repository_url import without_secret
from workflows.contract.sandbox import Repository

SHOWN_FILES = 10
DEFAULT_BASE = "main"
"""Base of a repository named by URL, which is not asked."""

GIT_SECONDS = 60.0

# Looking at a repository runs none of the programs that its configuration names.
_GIT = (
    "git",
    "--no-optional-locks",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
)
_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:.+")


class Chosen(NamedTuple):
    """The repository as the session gets it, and what the person should know."""

    repository: Repository
    notes: tuple[str, ...] = ()


def choose(text: str, base: str | None) -> Chosen:
    """Return where a session on `text`, a path or URL, starts from.

    A path starts from the commit that is checked out, or from the tip of `base` when one is
    named; uncommitted changes stay where they are and are named in a note.

    Raises:
        CliProblem: it is no repository, has no commit, or no branch can be told.
    """
    path = Path(text).expanduser()
    if "://" in text or (_SCP_LIKE.fullmatch(text) and not path.exists()):
        return _remote(text, base)
    return _local(path, base)


def _remote(url: str, base: str | None) -> Chosen:
    shown = without_secret(url)
    note = f"starts from branch {DEFAULT_BASE!r} of {shown}; name another with --base"
    return Chosen(_repository(url, base or DEFAULT_BASE), () if base else (note,))


def _local(path: Path, base: str | None) -> Chosen:
    root = _root(path)
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    branch = _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    if base is not None and base != branch:
        tip = _tip(root, base)
        return Chosen(_repository(str(root), base, tip), _dirty(root))
    if head is None:
        raise CliProblem(
            Code.REPOSITORY_EMPTY,
            f"the repository {str(root)!r} has no commit on {branch or 'its HEAD'!r}",
        )
    if branch is None:
        raise CliProblem(
            Code.HEAD_DETACHED,
            f"the repository {str(root)!r} is at commit {head[:12]} on no branch",
        )
    return Chosen(_repository(str(root), branch, CommitSha(head)), _dirty(root))


def _repository(url: str, base: str, commit: CommitSha | None = None) -> Repository:
    try:
        return Repository(url=url, base=base, commit=commit)
    except ValidationError as error:
        raise CliProblem(
            Code.REPOSITORY_UNUSABLE, f"the repository cannot be named: {wording.wrong(error)}"
        ) from error


def _root(path: Path) -> Path:
    if not path.exists():
        raise CliProblem(
            Code.REPOSITORY_UNKNOWN,
            f"there is nothing at {str(path)!r}",
            "give a path or URL of a git repository with --repo",
        )
    folder = path if path.is_dir() else path.parent
    bare = _git(folder, "rev-parse", "--is-bare-repository") == "true"
    found = _git(folder, "rev-parse", *(["--absolute-git-dir"] if bare else ["--show-toplevel"]))
    if not found:
        raise CliProblem(
            Code.REPOSITORY_UNKNOWN,
            f"{str(path.absolute())!r} is not in a git repository{_reason(folder)}",
        )
    return Path(found)


def _tip(root: Path, base: str) -> CommitSha:
    tip = _git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{base}^{{commit}}")
    if tip is None:
        names = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads") or ""
        there = ", ".join(names.split()[:SHOWN_FILES]) or "none"
        raise CliProblem(
            Code.BASE_UNKNOWN,
            f"the repository {str(root)!r} has no branch {base!r}",
            f"its branches are: {there}",
        )
    return CommitSha(tip)


def _dirty(root: Path) -> tuple[str, ...]:
    """Name uncommitted files; none in a bare repository."""
    entries = (_git(root, "status", "--porcelain", "-z", "--no-renames") or "").split("\0")
    names = [entry[3:] for entry in entries if entry]
    if not names:
        return ()
    shown = ", ".join(names[:SHOWN_FILES])
    more = f" and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else ""
    return (f"uncommitted changes are not part of the session: {shown}{more}",)


def _reason(folder: Path) -> str:
    """Quote git where its reason is another than that there is no repository."""
    said = _run(folder, "rev-parse").stderr.strip()
    return "" if not said or "not a git repository" in said else f" ({said.splitlines()[0]})"


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, without the last line's end; none when it fails."""
    done = _run(folder, *arguments)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def _run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            (*_GIT, "-C", str(folder), *arguments),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise CliProblem(Code.GIT_MISSING, "git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CliProblem(
            Code.GIT_SLOW, f"git did not answer within {GIT_SECONDS:.0f} seconds in {str(folder)!r}"
        ) from error
