"""The shell scripts that checks consist of; all names in them are quoted, none is trusted."""

import shlex
from collections.abc import Iterable

from workflows.contract.base import CommandId
from workflows.contract.checks import REPORT_VARIABLE
from workflows.contract.sandbox import BASE_REF

REPORT_LIMIT_BYTES = 32 * 1024 * 1024
ARCHIVE_LIMIT_BYTES = 16 * 1024 * 1024
SOURCE_BLOCKS = 2_048
"""Source files of 1 MiB (in blocks of 512 bytes) or more are not looked at."""

PLACE = 'o="$HOME/.overnight"'
"""Where our files lie in a box: outside of the workspace, so that they are no work."""

SYSTEM_PATH = "PATH=/usr/local/bin:/usr/bin:/bin"
"""A session's own programs come first on its PATH; what our scripts use must be the system's."""

_OURS = f"{PLACE}; {SYSTEM_PATH}; umask 077"


def positional(words: Iterable[str]) -> str:
    """Return the command that makes the words `"$@"`."""
    return f"set -- {shlex.join(words)}"


def plain(paths: Iterable[str]) -> list[str]:
    """Return relative paths that no program takes for an option."""
    return [path if path[:1] not in ("-", "!", "(") else f"./{path}" for path in paths]


def with_report(command_id: CommandId, command: str) -> str:
    """Return the check's command line, with a fresh place for its report outside the workspace."""
    report = f'"$HOME/.overnight/reports/{command_id}"'
    fresh = f'mkdir -p -- "$HOME/.overnight/reports"; rm -rf -- {report} {report}.cache'
    return f"export {REPORT_VARIABLE}={report}; {fresh}\n{command}"


def for_tests(command_id: CommandId, rerun: str) -> str:
    """Return the command line that runs the tests whose ids `prepared` wrote down."""
    return f'eval "$(cat "$HOME/.overnight/aside/{command_id}.tests")" && {rerun} "$@"'


def prepared(command_id: CommandId, original: Iterable[str], tests: Iterable[str]) -> str:
    """Return the script that readies the workspace for one run of a check.

    `original` paths are kept aside and become what they are at the base, or absent; the ids of the
    tests are written where `for_tests` finds them.
    """
    lines = ["set -e", _OURS, 'mkdir -p -- "$o/aside"', f'a="$o/aside/{command_id}"']
    ids = list(tests)
    if ids:
        lines.append(f'printf "%s\\n" {shlex.quote(positional(ids))} > "$a.tests"')
    paths = plain(original)
    if paths:
        lines += [positional(paths), f"base={BASE_REF}", _PUT_ORIGINAL]
    return "\n".join(lines)


# The index follows, so that checks which ask git for its files find no others.
_PUT_ORIGINAL = """
export GIT_LITERAL_PATHSPECS=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git() { command git -c core.hooksPath=/dev/null -c core.fsmonitor=false "$@"; }
git rev-parse --quiet --verify "$base" >/dev/null || base=HEAD
{ find "$@" -maxdepth 0 -print0 2>/dev/null || true; } > "$a.paths"
tar -cf "$a.tar" --null --files-from "$a.paths"
test ! -e .git/index || cp -p .git/index "$a.index"
rm -rf -- "$@"
git rm -r --cached --force --quiet --ignore-unmatch -- "$@"
git ls-tree -r -z --name-only --full-tree "$base" -- "$@" > "$a.base"
test ! -s "$a.base" ||
git checkout --quiet "$base" --pathspec-from-file="$a.base" --pathspec-file-nul
"""


def put_back(command_id: CommandId, original: Iterable[str]) -> str:
    """Return the script that undoes what `prepared` did to the original paths."""
    lines = ["set -e", _OURS, f'a="$o/aside/{command_id}"', positional(plain(original))]
    lines += ['rm -rf -- "$@"', 'tar -xf "$a.tar"']
    lines.append('test ! -e "$a.index" || cp -p "$a.index" .git/index')
    return "\n".join(lines)


def read_report(command_id: CommandId) -> str:
    """Return the script that prints `1` and the report, if there is a regular file of that name."""
    return (
        f'{_OURS}; f="$o/reports/{command_id}"\n'
        f'if [ -f "$f" ] && [ ! -L "$f" ]; then printf 1; head -c {REPORT_LIMIT_BYTES + 1} "$f"; fi'
    )


def read_sources(paths: Iterable[str]) -> str:
    """Return the script that prints a tar archive of the small regular files among the paths."""
    return f"{_OURS}; {positional(plain(paths))}\n{ARCHIVE} | head -c {ARCHIVE_LIMIT_BYTES}"


ARCHIVE = (
    'find "$@" -maxdepth 0 \\( -type d -o -type f -size '
    f"-{SOURCE_BLOCKS} \\) -print0 2>/dev/null | "
    "tar -cf - -b 1 --no-recursion --null --files-from - 2>/dev/null"
)
"""Prints the small regular files and the folders among the arguments, which are named one by one.

Links are left out and not followed: whoever reads it asks for every folder of a path too.
"""


def keep_files(endings: Iterable[str] = ()) -> str:
    """Return the commands that leave, of `"$@"`, regular files with one of the endings, if any."""
    pattern = "|".join(f"*{ending}" for ending in endings) or "*"
    return (
        f'for f do shift; case "$f" in {pattern}) '
        'if [ -f "$f" ] && [ ! -L "$f" ]; then set -- "$@" "$f"; fi;; esac; done'
    )


def over_files(command: str, endings: Iterable[str], seconds: int) -> str:
    """Return the command that runs another one, in a subshell, over those of `"$@"` that fit."""
    inner = shlex.quote(f'{command} "$@"')
    run = f'timeout --kill-after 1 {seconds} "${{BASH:-sh}}" -c {inner} check "$@"'
    return f"( {keep_files(endings)}; if [ $# -gt 0 ]; then {run}; fi )"
