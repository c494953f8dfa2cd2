"""One bare repository of ours: which commits it holds, what is in them.

A ref `refs/overnight/commits/<sha>` says that the commit is here with its whole history; the
objects alone may be the rest of something that was refused.
"""

import re
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from activities.failures import permanent
from activities.git.folder import write_mirror
from activities.git.program import GitProgram
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.pull_request import FileChange
from workflows.contract.repository_url import RepositoryUrl

FILES_LIMIT = 100_000
"""`list_files` leaves out what comes after so many."""

DIFF_LIMIT_BYTES = 16 * 1024 * 1024
"""Nobody reads more of a diff; a few bytes of work can make one of many GiB."""

DIFF_CUT = b"\\ The diff is cut here: it is longer than 16 MiB. The branch has all of the change.\n"
"""In the form of git's own remarks, so that it counts as no line of a file."""

_STALE_SECONDS = {
    "refs/**/*.lock": 10,  # held for milliseconds, and only ever to write what stands or comes
    "*.lock": 900,
    "objects/pack/tmp_*": 900,
    "staging/*/*": 900,
}
"""What a killed git leaves behind, and the age at which no living one needs it."""

_SHA = re.compile(r"[0-9a-f]{40}")
_LINK = "120000"
_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--find-renames")


class BareRepository(NamedTuple):
    """A mirror and the remote it mirrors."""

    url: RepositoryUrl
    folder: Path
    git: GitProgram

    def prepare(self) -> None:
        """Make the mirror when it is absent; remove what killed processes left in it."""
        if not self.folder.is_dir():
            write_mirror(self.folder)
        now = time.time()
        for pattern, seconds in _STALE_SECONDS.items():
            with suppress(FileNotFoundError):  # somebody else is removing it, or is done with it
                for path in self.folder.glob(pattern):
                    if path.stat().st_mtime < now - seconds:
                        path.unlink()

    def holds(self, commit: str) -> bool:
        """Tell whether the commit is here with its whole history."""
        return self._ref("commits", commit).exists()

    def took(self, tip: str) -> bool:
        """Tell whether the work with this tip was taken."""
        return self._ref("incoming", tip).exists()

    def keep(self, commit: str) -> None:
        """Record that the commit is here with its whole history."""
        self.git.require("update-ref", f"refs/overnight/commits/{commit}", commit)

    def keep_work(self, tip: str) -> None:
        """Record that the work with this tip was taken."""
        self.git.require("update-ref", f"refs/overnight/incoming/{tip}", tip)

    def tree(self, commit: str) -> str | None:
        """Return the tree of a commit; none when there is no such commit."""
        found = self.git.run("rev-parse", f"{commit}^{{commit}}", f"{commit}^{{tree}}", "--")
        lines = found.text.splitlines()
        return lines[1] if found.status == 0 and lines[0] == commit else None

    def _ref(self, kind: str, commit: str) -> Path:
        # Refs are never packed here: garbage collection is off.
        return self.folder / "refs/overnight" / kind / commit


def checked_sha(text: str) -> CommitSha:
    """Return a commit or tree name; refuse what is none, before git sees it."""
    if not _SHA.fullmatch(text):
        raise permanent(Failure.REPOSITORY, f"{text[:100]!r} is not a commit: give its 40 digits")
    return CommitSha(text)


def read_file(bare: BareRepository, commit: str, path: str, limit_bytes: int) -> bytes | None:
    """Return a regular file's bytes; none when there is no such file."""
    if not path or "\0" in path:
        return None
    entry = bare.git.require("ls-tree", "-z", "--long", "--full-tree", commit, "--", path)
    about, _, name = entry.stdout.removesuffix(b"\0").partition(b"\t")
    if _shown(name) != path:  # absent, or `folder/` and so what is in it
        return None
    mode, kind, blob, size = about.decode().split()
    if kind != "blob" or mode == _LINK:
        return None
    if int(size) > limit_bytes:
        message = f"the file {path!r} has {size} bytes, of at most {limit_bytes}; make it smaller"
        raise permanent(Failure.REPOSITORY, message)
    return bare.git.require("cat-file", "blob", blob).stdout


def list_files(bare: BareRepository, commit: str) -> list[str]:
    """Return the paths of the first `FILES_LIMIT` files, in git's order."""
    listing = bare.git.require("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit)
    names = listing.stdout.split(b"\0", FILES_LIMIT)[:FILES_LIMIT]
    return [_shown(name) for name in names if name]


def diff(bare: BareRepository, base: str, commit: str) -> bytes:
    """Return the change as `git diff` prints it, with full object names.

    Of one longer than `DIFF_LIMIT_BYTES` the beginning is returned; its last line says so.
    """
    printed = bare.git.begin(DIFF_LIMIT_BYTES, *_DIFF, base, commit, "--")
    return printed.stdout if printed.is_whole else whole_lines(printed.stdout) + DIFF_CUT


def whole_lines(diff: bytes) -> bytes:
    """Leave out a line of which a part is missing, and a file of which only the head is there."""
    lines = diff[: diff.rfind(b"\n") + 1]
    head = lines.rfind(b"\ndiff --git ") + 1
    is_head_only = head > 0 and lines.find(b"\n@@ ", head) < 0
    return lines[:head] if is_head_only else lines


def changes(bare: BareRepository, base: str, commit: str) -> list[FileChange]:
    """Return every changed file with its counts, in git's order."""
    return parse_numstat(bare.git.require(*_DIFF, "--numstat", "-z", base, commit, "--").stdout)


def parse_numstat(output: bytes) -> list[FileChange]:
    """Read `git diff --numstat -z`: of a renamed file the new name counts."""
    parts = iter(output.split(b"\0"))
    found = []
    for part in parts:
        if not part:
            continue
        added, removed, name = part.split(b"\t", 2)
        if not name:  # a rename: the old and the new name follow
            next(parts)
            name = next(parts)
        found.append(FileChange(path=_shown(name), added=_count(added), removed=_count(removed)))
    return found


def _count(text: bytes) -> int:
    return 0 if text == b"-" else int(text)


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
