"""What the work adds of something, when what it moves or edits shall not count as added."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

LINE_CHARACTERS = 300


class Entry(NamedTuple):
    """One thing in one line of a file."""

    what: str
    """Things with the same one make up for each other in a file."""

    line: int
    text: str
    """The line; the same line elsewhere makes up for this one too."""


Entries = Mapping[str, tuple[Entry, ...]]
"""By path."""


def lines_of(text: str) -> list[str]:
    """Return the lines as entries hold them: without space around, and cut."""
    return [line[:LINE_CHARACTERS].strip() for line in text.split("\n")]


def gained(before: Entries, after: Entries) -> Iterator[tuple[str, Entry]]:
    """Return what is more than before, with its path.

    In a file, equal things make up for each other: an edited line keeps its mark. Between files
    only equal lines do: a moved file brings its marks along, but nothing new.
    """
    moved = _surplus(after, before)
    for path, entries in after.items():
        old = before.get(path, ())
        more = _counts(entries) - _counts(old)
        unchanged = Counter((entry.what, entry.text) for entry in old)
        for entry in _fresh_first(entries, unchanged):
            if more[entry.what] > 0:
                more[entry.what] -= 1
                if not _take(moved, (entry.what, entry.text)):
                    yield path, entry


def _surplus(after: Entries, before: Entries) -> Counter[tuple[str, str]]:
    """Count lines that a file has lost, with what it lost by that."""
    lost: Counter[tuple[str, str]] = Counter()
    for path, entries in before.items():
        kept = after.get(path, ())
        less = _counts(entries) - _counts(kept)
        still = Counter((entry.what, entry.text) for entry in kept)
        for entry in _fresh_first(entries, still):
            if less[entry.what] > 0:
                less[entry.what] -= 1
                lost[(entry.what, entry.text)] += 1
    return lost


def _fresh_first(entries: tuple[Entry, ...], known: Counter[tuple[str, str]]) -> list[Entry]:
    left = Counter(known)
    is_known = [_take(left, (entry.what, entry.text)) for entry in entries]
    pairs = zip(entries, is_known, strict=True)
    return [entry for entry, _ in sorted(pairs, key=lambda pair: pair[1])]


def _counts(entries: Iterable[Entry]) -> Counter[str]:
    return Counter(entry.what for entry in entries)


def _take(counter: Counter[tuple[str, str]], key: tuple[str, str]) -> bool:
    if counter[key] <= 0:
        return False
    counter[key] -= 1
    return True
