"""Takes the work out of a box: a git bundle made inside, read back through the command's output.

The host never opens the repository inside. What the agent committed, staged or left alone counts
alike: the bundle carries one commit with all files that git does not ignore.
"""

import re
from typing import NamedTuple

from activities.failures import permanent
from runtime.store.base import sha256
from workflows.contract.base import CommitSha, SessionId
from workflows.contract.failures import Failure

BUNDLE_LIMIT_BYTES = 512 * 1024 * 1024

# Equal files must give an equal commit, so its date is fixed; the pushed commit is made on the
# host with the real one. The index keeps its time: files that git knows from the same second are
# read again only when it does, and an edit that leaves the size alone would be missed.
SCRIPT = """
set -e
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
export GIT_AUTHOR_NAME=overnight GIT_AUTHOR_EMAIL=overnight@localhost
export GIT_NO_REPLACE_OBJECTS=1
export GIT_COMMITTER_NAME=overnight GIT_COMMITTER_EMAIL=overnight@localhost
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -p .git/index "$scratch/index" 2>/dev/null || true
export GIT_INDEX_FILE="$scratch/index"
git() { command git -c core.hooksPath=/dev/null -c core.fsmonitor=false "$@"; }
git add --all >&2
tree=$(git write-tree)
tip=$(git commit-tree "$tree" -p "$BASE" -m work)
git update-ref refs/overnight/work "$tip"
printf '%s %s\\n' "$tip" "$tree"
test "$tree" = "$(git rev-parse "$BASE^{tree}")" ||
git bundle create --quiet - refs/overnight/work "^$BASE"
"""

_HEADER = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40})\n")


class Exported(NamedTuple):
    """What came out of the box."""

    tip: CommitSha
    tree: str
    bundle: bytes
    """Empty when nothing differs from the base."""


def script(base: CommitSha) -> str:
    """Return the command that prints the header and the bundle."""
    return f"BASE={base}\n{SCRIPT}"


def store_key(session: SessionId, found: Exported) -> str | None:
    """Return where a bundle is kept; none when there is none.

    Equal files give an equal commit, but git may pack its objects in more ways than one.
    """
    if not found.bundle:
        return None
    return f"bundles/{session}/{found.tip}-{sha256(found.bundle)[:16]}"


def parse(output: bytes) -> Exported:
    """Split what the command printed.

    Raises:
        ApplicationError: `git_tampered`, when it printed something else.
    """
    header = _HEADER.match(output)
    if header is None:
        raise permanent(Failure.GIT_TAMPERED, "git in the sandbox printed no commit")
    tip, tree = (part.decode() for part in header.groups())
    return Exported(CommitSha(tip), tree, output[header.end() :])
