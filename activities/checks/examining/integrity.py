"""What work changes of that which judges it, from both sides of its changed files; pure.

A finding blocks; one of severity `note` is a remark for people.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from activities.checks.examining import forging, hidden, planted, protection, roles, suppressions
from activities.checks.examining.ledger import Entry
from activities.checks.examining.protection import Sides
from activities.checks.examining.python_source import PythonSource, read_python
from activities.checks.examining.tampering import CHECK, tampering
from activities.checks.findings.fingerprints import located
from activities.git.revisions import LINK, Difference
from workflows.contract.checks import CheckPlan
from workflows.contract.findings import Finding, FindingReport, Severity

READ_LIMIT = 500
"""Files whose text is looked at; what is beyond is a finding."""

FINDINGS_KEPT = 500
PATHS_BYTES = 8_000
ORIGINALS_LIMIT = 200

_ACTS = re.compile(
    r"""
    \b(?:setattr|delattr|__setattr__|__dict__|__code__|globals|vars|exec|eval)\b
    | \.(?:update|clear|pop|popitem|setdefault)\(
    | \b(?:import_module|__import__|reload|importlib|builtins|__builtins__|ctypes)\b
    | \b(?:gc|inspect|atexit)\b
    | \bsys\.(?:modules|path|meta_path|exit)\b | \bos\b | \bsubprocess\b | \bshutil\b
    | \.start\(\) | \bopen\( | \.write_(?:text|bytes)\( | \bimport\*
    | \bpytest_\w+ | \bcollect_ignore | \bautouse\b | \bwarnings\b | \bsignal\b | \bthreading\b
    """,
    re.VERBOSE,
)
"""What a test can change outside itself with, in a line of code; generous, since it costs a run."""


class Change(NamedTuple):
    """A changed file and its text, as far as it was read."""

    difference: Difference
    before: str | None = None
    after: str | None = None

    @property
    def path(self) -> str:
        """Return where it is."""
        return self.difference.path


class Examined(NamedTuple):
    """What was found."""

    original: tuple[str, ...]
    """Files of tests to be put back for a second run."""

    report: FindingReport


def is_read(difference: Difference) -> bool:
    """Tell whether the file's text is needed."""
    path = difference.path
    if difference.old == difference.new:  # only its mode
        return False
    is_text = roles.is_code(path) or protection.is_in_part(path) or hidden.is_wanted(path)
    return is_text or difference.new_mode == LINK


def examine(changes: Sequence[Change], plan: CheckPlan, tracked: Sequence[str] = ()) -> Examined:
    """Look at changed files; those that should have been read and were not are findings.

    `tracked` are the paths of the base commit, needed if `hidden.is_wanted` for a changed one.

    Without checks nothing judges the work: then only links and guarded files count.
    """
    every = tuple(_originals(changes)) if plan.checks else ()
    original = bounded(every, ORIGINALS_LIMIT)
    found = list(islice(_findings(changes, plan, tracked), FINDINGS_KEPT + 1))
    if len(original) < len(every):
        message = f"changes {len(every)} files of tests: more than can be put back for a run"
        found.insert(0, tampering("too-many-tests", "", message))
    # Nobody counts them all: that there are more is enough to block.
    kept, more = found[:FINDINGS_KEPT], len(found) > FINDINGS_KEPT
    report = FindingReport(check=CHECK, findings=tuple(kept), left_out=int(more))
    sources = {each.path: (each.after or "").split("\n") for each in changes}
    return Examined(original, located(report, sources))


def bounded(paths: Sequence[str], limit: int) -> tuple[str, ...]:
    """Return the first paths, as many as an activity's input and a command line have room for."""
    room, kept = PATHS_BYTES, []
    for path in paths[:limit]:
        room -= len(path.encode(errors="replace"))
        if room < 0:
            break
        kept.append(path)
    return tuple(kept)


def _findings(
    changes: Sequence[Change], plan: CheckPlan, tracked: Sequence[str]
) -> Iterator[Finding]:
    sides = [Sides(each.path, each.before, each.after) for each in changes]
    differences = [each.difference for each in changes]
    links = {each.path: each.after or "/" for each in changes if each.difference.new_mode == LINK}
    yield from protection.findings(sides, plan)
    yield from planted.leading_out(differences, links)
    if plan.checks:
        yield from planted.findings(differences)
        texts = [hidden.Text(each.path, each.before, each.after) for each in changes]
        yield from hidden.ignored(texts, [*tracked, *(each.path for each in changes)])
        added = [each.path for each in differences if each.is_added]
        yield from hidden.standing_in(added, tracked)
        yield from _odd(differences)
        yield from _unread(changes)
        yield from _of_texts(changes)


def _odd(differences: Sequence[Difference]) -> Iterator[Finding]:
    """Find files that nobody could name in a command, to put them back."""
    for each in differences:
        is_odd = "\\" in each.path or not each.path.isprintable()
        if is_odd and (roles.is_test(each.path) or roles.is_code(each.path)):
            yield tampering("odd-path", each.path, "cannot be looked at by this name: rename it")


def _unread(changes: Sequence[Change]) -> Iterator[Finding]:
    for each in changes:
        is_lost = each.after is None and not each.difference.is_removed
        if is_lost and is_read(each.difference):
            message = "was not looked at, since it is too large or too many files are changed"
            yield tampering("unexamined", each.path, message)


def _of_texts(changes: Sequence[Change]) -> Iterator[Finding]:
    before = _Marked()
    after = _Marked()
    for each in changes:
        if roles.is_code(each.path):
            before.add(each.path, each.before)
            after.add(each.path, each.after)
    yield from forging.added(before.uses, after.uses)
    yield from suppressions.added(before.marks, after.marks)
    yield from suppressions.added(before.mild, after.mild, Severity.NOTE)


class _Marked:
    """What one side of all changed files holds, by path."""

    def __init__(self) -> None:
        self.uses: dict[str, tuple[Entry, ...]] = {}
        self.marks: dict[str, tuple[Entry, ...]] = {}
        self.mild: dict[str, tuple[Entry, ...]] = {}

    def add(self, path: str, text: str | None) -> None:
        if text is None:
            return
        python: PythonSource | None = read_python(text) if roles.is_python(path) else None
        self.uses[path] = forging.uses(path, text, python)
        self.marks[path] = suppressions.marks(path, text, python)
        self.mild[path] = suppressions.mild_marks(text, python)


def _originals(changes: Sequence[Change]) -> Iterator[str]:
    """Return every file of tests that differs: changed, removed, and added ones too.

    An added test can change what is tested, in memory or on the disk, before the others run.
    """
    for each in changes:
        is_same = each.difference.old == each.difference.new
        is_read_only = each.difference.is_added and not roles.is_code(each.path)
        is_of_tests = roles.is_test(each.path) or each.path in _LOADED_WITH_TESTS
        if is_of_tests and not is_same and not is_read_only:
            yield each.path


# pytest imports it when tests stand in the top folder.
_LOADED_WITH_TESTS = frozenset({"__init__.py"})


def texts_of(differences: Sequence[Difference], blobs: Mapping[str, bytes]) -> Iterator[Change]:
    """Put the differences together with the blobs that were read, by name."""
    for each in differences:
        yield Change(each, _text(blobs.get(each.old)), _text(blobs.get(each.new)))


def _text(data: bytes | None) -> str | None:
    if data is None:
        return None
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    # Python ends lines at a lone carriage return too: text hidden behind one is code.
    return text.replace("\r\n", "\n").replace("\r", "\n")
