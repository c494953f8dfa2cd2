"""Which commands a person wants to approve first; pure.

This keeps honest models from what people want to see first. It is no wall: a shell offers endless
ways to write a command, and what a command may do is the sandbox's matter.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_SEPARATORS = re.compile(r"[\n;&|(){}`]+|\$\(")
_PREFIX = re.compile(r"^(?:(?:then|do|else|if|while|until|!|exec|time|sudo|env|\w+=\S*)\s+)+")


def is_held(command: str, patterns: Iterable[str]) -> bool:
    """Tell whether a whole script, or any simple command in it, fits one of the patterns.

    Patterns are read as `fnmatch` does, with case, against text whose runs of spaces are one space.
    """
    wanted = tuple(patterns)
    if not wanted:
        return False
    parts = {_plain(command), *(_plain(part) for part in _SEPARATORS.split(command))}
    candidates = parts | {_PREFIX.sub("", part) for part in parts}
    return any(fnmatchcase(part, pattern) for part in candidates if part for pattern in wanted)


def _plain(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())
