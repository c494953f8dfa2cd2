"""What the text of a failed test tells: the kind of error, its message, and where it is."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from activities.checks.findings.inert import inert, middle_cut
from activities.checks.readers.wire import Paths
from workflows.contract.findings import DETAIL_CHARACTERS

LINE_CHARACTERS = 500
ERROR_LINE_CHARACTERS = 2_000
HEAD_CHARACTERS = 700

_PYTHON_PLACE = re.compile(r"([^\s:][^:]*\.py):(\d+):(?: (.*))?")
_PYTHON_FRAME = re.compile(r'(?:E\s+)?\s*File "([^"]+)", line (\d+)')
_STACK_PLACE = re.compile(r"(.+?):(\d+)(?::\d+)?")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_RAISED = re.compile(
    r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Failed))\b(?::|$|\s)"
)
_QUOTED = re.compile(r'failed on (?:setup|teardown) with "(.*)"?', re.DOTALL)


class Place(NamedTuple):
    """A line that a traceback names."""

    path: str
    line: int


def message(given: str, text: str) -> str:
    """Return one line that says what is wrong, from the failure's message or else its text."""
    if given and given not in ("collection failure", "collection skipped"):
        return _first_line(given)
    return _first_line(next(reversed(_error_lines(text)), "") or text)


def rule(given: str, text: str) -> str:
    """Return the class of the exception; empty when there is none to be seen."""
    if given.startswith("[XPASS"):
        return "XPASS"
    trailing = _PYTHON_PLACE.fullmatch(_last_line(text)[:LINE_CHARACTERS])
    if trailing and trailing[3] and _NAME.fullmatch(trailing[3]):
        return trailing[3]
    quoted = _QUOTED.match(given)
    for line in (*reversed(_error_lines(text)), quoted[1] if quoted else given, _first_line(text)):
        if raised := _RAISED.match(line):
            return raised[1]
    return ""


def places(text: str, paths: Paths) -> Iterator[Place]:
    """Give the lines inside the workspace that the text names, in its order."""
    # Each line that names a place holds one of these.
    lines = text.splitlines()
    for line in [each for each in lines if ".py:" in each or 'File "' in each or "at " in each]:
        found = _place(line) if len(line) <= LINE_CHARACTERS else None
        path = paths.inside(found[1]) if found else ""
        if found and path and "node_modules/" not in path:
            yield Place(path, int(found[2][:9]))


def detail(text: str) -> str:
    """Return the part of a traceback that is worth reading: its end, with what was asserted."""
    text = inert(text).strip("\n")
    if len(text) <= DETAIL_CHARACTERS:
        return text
    asserted = _asserted(text)
    if asserted is None:
        # Stacks of JavaScript and Java begin with what is wrong and end in the runner.
        return middle_cut(text, 2 * HEAD_CHARACTERS, DETAIL_CHARACTERS)
    if len(text) - asserted <= DETAIL_CHARACTERS:
        return text[-DETAIL_CHARACTERS:]
    return middle_cut(text[asserted:], HEAD_CHARACTERS, DETAIL_CHARACTERS)


def _asserted(text: str) -> int | None:
    """Find the last block of pytest's `E` lines, with the line of code before it."""
    last = text.rfind("\nE ")
    if last < 0:
        return None
    first = last
    while (before := text.rfind("\n", 0, first)) >= 0 and text.startswith("E", before + 1):
        first = before
    code = text.rfind("\n>", 0, first)
    return (code if code >= 0 and first - code < 2 * LINE_CHARACTERS else first) + 1


def _error_lines(text: str) -> list[str]:
    lines = (line[1:].strip() for line in text.splitlines() if line.startswith("E "))
    return [line[:ERROR_LINE_CHARACTERS] for line in lines if _RAISED.match(line)]


def _place(line: str) -> re.Match[str] | None:
    if ".py:" in line:
        return _PYTHON_PLACE.match(line)
    if 'File "' in line:
        return _PYTHON_FRAME.match(line)
    return _stack_place(line) if line.lstrip().startswith("at ") else None


def _stack_place(line: str) -> re.Match[str] | None:
    return _STACK_PLACE.fullmatch(line.rstrip().rsplit(" ", 1)[-1].strip("()"))


def _first_line(text: str) -> str:
    return next(
        (line.strip() for line in text[:ERROR_LINE_CHARACTERS].splitlines() if line.strip()), ""
    )


def _last_line(text: str) -> str:
    return text.rstrip().rsplit("\n", 1)[-1]
