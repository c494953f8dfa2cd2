"""Patterns of files' names, asked of very many paths."""

import re
from collections.abc import Iterable
from fnmatch import translate


class Patterns:
    """Patterns as `fnmatch` reads them, in lower case, with space between; any capitals fit too.

    One with a slash is of a path's end, any other of its last part.
    """

    def __init__(self, patterns: str) -> None:
        every = patterns.split()
        self._names = _any_of(translate(each) for each in every if "/" not in each)
        self._places = _any_of(f"(?:.*/)?{translate(each)}" for each in every if "/" in each)

    def fit(self, path: str) -> bool:
        """Tell whether one of them is the path's."""
        lower = path.lower()
        name = lower.rpartition("/")[2]
        return bool(self._names.match(name) or self._places.match(lower))


def _any_of(expressions: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(expressions) or "(?!)", re.DOTALL)
