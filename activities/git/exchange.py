"""How commits come into a mirror (fetched, taken, made) and leave it (pushed, seeded)."""

import re
import secrets
import shutil
from pathlib import Path

from activities.failures import permanent, temporary
from activities.git.bare import BareRepository, checked_sha
from activities.git.errors import printable, remote_error
from activities.git.folder import write_seed
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.sandbox import WorkBundle

BUNDLE_LIMIT_BYTES = 512 * 1024 * 1024
"""A larger bundle is refused."""

ADDED_LIMIT = 100_000
_FILES_LIMIT = 5_000_000
"""Work that has so many files more than its base, or so many in all, is refused.

A kilobyte can hold billions of files, as folders that are one folder; each costs some 900 bytes
when it is examined.
"""

_AUTHOR = {
    "GIT_AUTHOR_NAME": "Overnight",
    "GIT_AUTHOR_EMAIL": "overnight@localhost",
    "GIT_COMMITTER_NAME": "Overnight",
    "GIT_COMMITTER_EMAIL": "overnight@localhost",
}
_LISTED = 10  # branches named in an error
_LOCKED = re.compile(r"Unable to create '[^']*\.lock': File exists")
_BUNDLE_HEAD = re.compile(
    rb"# v2 git bundle\n(?:-[0-9a-f]{40}[^\n]*\n)*([0-9a-f]{40}) [^\n]+\n\n(?=PACK)"
)


def tip_of_base(bare: BareRepository, base: str) -> CommitSha:
    """Ask the remote where its base branch is."""
    heads = _heads(bare)
    if base in heads:
        return heads[base]
    if not heads:
        message = f"the repository {bare.url.canonical!r} has no branches; push a first commit"
        raise permanent(Failure.REPOSITORY, message)
    listed = ", ".join(sorted(heads)[:_LISTED]) + (", …" if len(heads) > _LISTED else "")
    message = f"{bare.url.canonical!r} has no branch {base[:300]!r}; its branches are: {listed}"
    raise permanent(Failure.REPOSITORY, message)


def obtain(bare: BareRepository, commit: CommitSha) -> None:
    """Fetch a commit with its history, of any branch or none, and record it."""
    fetched = bare.git.reach(
        bare.url,
        *("fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
        *("--update-shallow", "--no-auto-maintenance", "--", bare.url.canonical, commit),
    )
    if fetched.status != 0:
        raise remote_error(bare.url, fetched.stderr)
    if bare.tree(commit) is None:
        message = f"{commit} in {bare.url.canonical!r} is not a commit; name a commit"
        raise permanent(Failure.REPOSITORY, message)
    bare.keep(commit)


def take(bare: BareRepository, work: WorkBundle, bundle: bytes | None) -> None:
    """Add the objects of a bundle, each checked, if it holds what `work` says.

    Without a bundle the work is the base commit's files, and no others.
    """
    tip, tree = checked_sha(work.tip), checked_sha(work.tree)
    if bundle is None:
        tip = checked_sha(work.base)
    elif not bare.took(tip):
        _unpack(bare, tip, bundle)
    found = bare.tree(tip)
    if found != tree:
        message = f"the work's commit {tip} has the tree {found}, not {tree}"
        raise permanent(Failure.GIT_TAMPERED, message)
    if bundle is not None:
        _check_number(bare, checked_sha(work.base), tip)
        bare.keep_work(tip)


def _check_number(bare: BareRepository, base: CommitSha, tip: CommitSha) -> None:
    most = min(_FILES_LIMIT, _files(bare, base, _FILES_LIMIT) + ADDED_LIMIT)
    if _files(bare, tip, most) <= most:
        return
    message = (
        f"the work has more than {ADDED_LIMIT:,} files that its base has not, or more than "
        f"{_FILES_LIMIT:,}; have .gitignore name what is built, and remove it"
    )
    raise permanent(Failure.GIT_TAMPERED, message)


def _files(bare: BareRepository, commit: CommitSha, most: int) -> int:
    """Count a commit's files, hardly further than to `most`."""
    # Not `diff-tree`, which holds all it finds until its end. A line of each file has one byte.
    listed = bare.git.begin(2 * most + 2, "ls-tree", "-r", "--format=.", commit)
    return len(listed.stdout) // 2


def _unpack(bare: BareRepository, tip: CommitSha, bundle: bytes) -> None:
    if len(bundle) > BUNDLE_LIMIT_BYTES:
        message = f"the work has {len(bundle)} bytes, of at most {BUNDLE_LIMIT_BYTES}"
        raise permanent(Failure.GIT_TAMPERED, message)
    head = _BUNDLE_HEAD.match(bundle)
    if head is None or head[1].decode() != tip:
        raise permanent(Failure.GIT_TAMPERED, f"the work is no bundle of just the commit {tip}")
    # Not `fetch`: up to git 2.45 it does not check the objects of a bundle. `--strict` also
    # demands that everything they point at is here.
    unpacked = bare.git.run(
        *("index-pack", "--stdin", "--fix-thin", "--strict"),
        f"--max-input-size={BUNDLE_LIMIT_BYTES}",
        stdin=memoryview(bundle)[head.end() :],
    )
    said = printable(unpacked.stderr)
    if unpacked.status != 0 and "No space left" in unpacked.stderr:
        message = f"the mirror cannot grow: {said}"
        raise temporary(message)
    if unpacked.status != 0:
        raise permanent(Failure.GIT_TAMPERED, f"git refuses the work's objects: {said}")


def commit_tree(
    bare: BareRepository, tree: str, parent: CommitSha, message: str, authored_at: int
) -> CommitSha:
    """Make a commit from nothing but the arguments, so that a repeat makes the same one."""
    date = f"@{authored_at} +0000"
    environment = {**_AUTHOR, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    made = bare.git.require(
        *("-c", "i18n.commitEncoding=utf-8", "commit-tree", "--no-gpg-sign"),
        *("-p", parent, "-F", "-", checked_sha(tree)),
        stdin=message.encode(),
        environment=environment,
    )
    commit = checked_sha(made.text)
    bare.keep(commit)
    return commit


def tip(bare: BareRepository, branch: str) -> CommitSha | None:
    """Ask the remote where a branch is; none when there is no such branch."""
    return _heads(bare, branch).get(branch)


def push(bare: BareRepository, branch: str, commit: CommitSha, expected: CommitSha | None) -> None:
    """Point the remote's branch at `commit` if it is where `expected` says; look before, after."""
    if _stands(bare, branch, commit, expected):
        return
    ref = f"refs/heads/{branch}"
    pushed = bare.git.reach(
        bare.url,
        *("push", "--porcelain", "--atomic", "--no-verify", "--no-follow-tags"),
        *("--recurse-submodules=no", f"--force-with-lease={ref}:{expected or ''}"),
        *("--", bare.url.canonical, f"{commit}:{ref}"),
    )
    if pushed.status == 0 or _stands(bare, branch, commit, expected):
        return
    said = printable(f"{pushed.text} {pushed.stderr}")
    if _LOCKED.search(pushed.stderr):
        message = f"{bare.url.canonical!r} is busy with the branch {branch!r}: {said}"
        raise temporary(message)
    if "[remote rejected]" in pushed.text or "[rejected]" in pushed.text:
        message = f"{bare.url.canonical!r} refuses the branch {branch!r}: {said}"
        raise permanent(Failure.REPOSITORY, message)
    raise remote_error(bare.url, pushed.stderr)


def _stands(
    bare: BareRepository, branch: str, commit: CommitSha, expected: CommitSha | None
) -> bool:
    actual = tip(bare, branch)
    if actual in (commit, expected):
        return actual == commit
    message = (
        f"the branch {branch!r} of {bare.url.canonical!r} points at {actual or 'nothing'}, "
        f"not at {expected or 'nothing'}: somebody else moved it, and nothing was overwritten"
    )
    raise permanent(Failure.BRANCH_MOVED, message)


def _heads(bare: BareRepository, *branches: str) -> dict[str, CommitSha]:
    patterns = [f"refs/heads/{branch}" for branch in branches]
    listed = bare.git.reach(
        bare.url, "ls-remote", "--heads", "--quiet", "--", bare.url.canonical, *patterns
    )
    if listed.status != 0:
        raise remote_error(bare.url, listed.stderr)
    heads = {}
    for line in listed.text.splitlines():
        sha, _, ref = line.partition("\t")
        heads[ref.removeprefix("refs/heads/")] = checked_sha(sha)
    return heads


def seed(bare: BareRepository, commit: CommitSha, branch: str, folder: Path) -> None:
    """Write a git folder that holds the history of `commit`, and nothing else of the mirror."""
    staging = bare.folder / "staging" / secrets.token_hex(8)
    staging.mkdir(parents=True)
    try:
        pack = str(staging / "pack")
        bare.git.require(
            *("pack-objects", "--revs", "--quiet", "--delta-base-offset", pack),
            stdin=f"{commit}\n".encode(),
        )
        shutil.rmtree(folder, ignore_errors=True)
        write_seed(folder, branch, commit, shallow=_shallow(bare, commit))
        for path in staging.iterdir():
            shutil.move(path, folder / "objects/pack" / path.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _shallow(bare: BareRepository, commit: CommitSha) -> str:
    """Return where the history of `commit` was cut off, if the remote itself is a shallow clone."""
    file = bare.folder / "shallow"
    if not file.exists():
        return ""
    history = set(bare.git.require("rev-list", commit).text.split())
    return "".join(f"{sha}\n" for sha in file.read_text().split() if sha in history)
