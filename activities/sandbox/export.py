"""Takes the work out of a box: a git bundle made inside, read back through the command's output.

The host never opens the repository inside. What the agent committed, staged or left alone counts
alike: the bundle carries one commit with all files that git does not ignore. Files that lie in
another repository cannot be in it: such folders refuse an export, unless it is to leave them out.
"""

import re
from typing import NamedTuple

from activities.failures import permanent
from runtime.store.base import sha256
from workflows.contract.base import CommitSha, SessionId
from workflows.contract.failures import Failure

BUNDLE_LIMIT_BYTES = 512 * 1024 * 1024

LEFT_OUT_LIMIT = 20
PATH_CHARACTERS = 200
"""What is told of folders that were left out."""

SUBMODULES = r"sed -z -n 's/^160000 [^\t]*\t//p'"
"""Keeps, of what `ls-tree` or `ls-files` print, the paths of submodules; all ends with zeros."""

# Git does not look into such a folder. One that is checked out cleanly adds nothing.
FILLED = r"""xargs -0 -r sh -c '
export GIT_OPTIONAL_LOCKS=0
for f do
[ -n "$(ls -A -- "./$f" 2>/dev/null)" ] || continue
if git check-ignore --quiet --no-index -- "./$f"; then continue; fi
if [ -e "./$f/.git" ] && changed=$(
env -u GIT_INDEX_FILE git -c core.fsmonitor=false --git-dir="./$f/.git" --work-tree="./$f" \
status --porcelain 2>/dev/null) && [ -z "$changed" ]; then continue; fi
printf "%s\0" "$f"
done' sh"""
"""Keeps, of paths of submodules, those of folders with files that git does not carry."""

# Equal files must give an equal commit, so its date is fixed; the pushed commit is made on the
# host with the real one. The index keeps its time: files that git knows from the same second are
# read again only when it does, and an edit that leaves the size alone would be missed.
_BEGIN = """
set -e
export LC_ALL=C
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
export GIT_AUTHOR_NAME=overnight GIT_AUTHOR_EMAIL=overnight@localhost
export GIT_NO_REPLACE_OBJECTS=1
export GIT_COMMITTER_NAME=overnight GIT_COMMITTER_EMAIL=overnight@localhost
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export GIT_INDEX_FILE="$scratch/index"
git() {
command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.sparseCheckout=false "$@"
}
if [ -e .git/index ]; then cp -p .git/index "$scratch/index"; else git read-tree "$BASE"; fi
"""

# A file that is not there and marked so was left out by a sparse checkout, and is not removed.
_LOOK_AT_ALL = r"""
git ls-files -v -z > "$scratch/marks"
sed -z -n 's/^[a-z] //p' "$scratch/marks" | git update-index -z --no-assume-unchanged --stdin
sed -z -n 's/^[sS] //p' "$scratch/marks" |
xargs -0 -r sh -c 'for f do
if [ -e "./$f" ] || [ -L "./$f" ]; then printf "%s\0" "$f"; fi
done' sh | git update-index -z --no-skip-worktree --stdin
"""

# Untracked, a repository is the one thing that is listed as a folder, with a slash at its end.
_FIND_OTHERS = f"""
git ls-tree -r -z "$BASE" | {SUBMODULES} | sort -z > "$scratch/of-base"
git ls-files --stage -z | {SUBMODULES} | sort -z -u > "$scratch/known"
comm -z -13 "$scratch/of-base" "$scratch/known" > "$scratch/added"
git ls-files --others --exclude-standard -z | sed -z -n 's|/$||p' |
cat - "$scratch/added" > "$scratch/nested"
comm -z -12 "$scratch/of-base" "$scratch/known" | {FILLED} > "$scratch/filled"
"""

_REFUSE = r"""
list() { head -z -n 5 "$1" | tr '\0\n' '\n?' | sed "s/.*/  '&'/"; }
if [ -s "$scratch/nested" ]; then
echo "these folders are git repositories of their own, so their files are not in the work:"
list "$scratch/nested"
echo "remove the .git in them, have .gitignore name them, or move them out of the workspace"
fi >&2
if [ -s "$scratch/filled" ]; then
echo "these folders are submodules, so the files in them are not in the work:"
list "$scratch/filled"
echo "remove these files, put them elsewhere, or have .gitignore name the folders"
fi >&2
[ ! -s "$scratch/nested" ] && [ ! -s "$scratch/filled" ] || exit 1
"""

_LEAVE_OUT = """
cat "$scratch/nested" "$scratch/filled" > "$scratch/left-out"
git update-index -z --force-remove --stdin < "$scratch/added"
"""

_END = r"""
{ printf '.\0'; cat "$scratch/nested" "$scratch/filled" | sed -z 's|^|:(exclude,literal)|'; } \
> "$scratch/wanted"
git add --all --pathspec-from-file="$scratch/wanted" --pathspec-file-nul >&2
tree=$(git write-tree)
tip=$(git commit-tree "$tree" -p "$BASE" -m work)
git update-ref refs/overnight/work "$tip"
printf '%s %s' "$tip" "$tree"
if [ -s "$scratch/left-out" ]; then printf ' %d' "$(wc -c < "$scratch/left-out")"; fi
echo
[ ! -e "$scratch/left-out" ] || cat "$scratch/left-out"
test "$tree" = "$(git rev-parse "$BASE^{tree}")" ||
git bundle create --quiet - refs/overnight/work "^$BASE"
"""

_HEADER = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40})(?: ([0-9]{1,9}))?\n")


class Exported(NamedTuple):
    """What came out of the box."""

    tip: CommitSha
    tree: str
    bundle: bytes
    """Empty when nothing differs from the base."""

    left_out: tuple[str, ...] = ()
    """The first folders whose files are not in it."""


def script(base: CommitSha, *, salvage: bool = False) -> str:
    """Return the command that prints the header and the bundle.

    Folders that cannot be carried make it fail with a message that names them; to salvage means
    to leave them out and to print their names.
    """
    parts = (_BEGIN, _LOOK_AT_ALL, _FIND_OTHERS, _LEAVE_OUT if salvage else _REFUSE, _END)
    return f"BASE={base}{''.join(parts)}"


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
    tip, tree, size = (part.decode() for part in header.groups(b"0"))
    end = header.end() + int(size)
    names = output[header.end() : end].decode("utf-8", "replace").split("\0")[:-1]
    left_out = tuple(name[:PATH_CHARACTERS] for name in names[:LEFT_OUT_LIMIT])
    return Exported(CommitSha(tip), tree, output[end:], left_out)
