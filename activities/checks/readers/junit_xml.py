"""Streams the test cases out of JUnit XML; refuses what XML can do besides holding a report."""

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn
from xml.parsers import expat

from activities.checks.findings.inert import MARK, decoded
from activities.checks.readers.gathering import UnreadableError

DEPTH_LIMIT = 1_000
ELEMENTS_LIMIT = 1_000_000
ATTRIBUTE_CHARACTERS = 8_000
TEXT_HEAD = 64_000
TEXT_TAIL = 8_000

SUITES_NAMED = 20

_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)])
_PROBLEMS = frozenset({"failure", "error"})
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# References to characters that XML does not have: controls and halves of pairs.
_ILLEGAL_REFERENCE = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-3]\d\d)"
    r"|x0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eEfF]));"
)
_START = re.compile(r"<\?xml\b|<testsuites?\b|<!DOCTYPE\b")


class Problem(NamedTuple):
    """Why a test case failed."""

    message: str
    type: str
    text: str


class Case(NamedTuple):
    """One `testcase` element, as it stands there."""

    name: str
    classname: str
    file: str
    line: str
    column: str
    suites: tuple[str, ...]
    """Names of the elements around it, outermost first."""

    problem: Problem | None
    is_skipped: bool


def cases(content: bytes, take: Callable[[Case], None]) -> int:
    """Hand on every test case in order and return how many there are.

    Raises UnreadableError for what is no XML, holds a document type or entities, or is too large.
    """
    listener = _Listener(take)
    # The declared encoding is what decoded() and encode() have made of it.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = listener.start
    parser.EndElementHandler = listener.end
    parser.CharacterDataHandler = listener.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(_legal(content), True)  # noqa: FBT003
    except expat.ExpatError as error:
        reason = f"the report is no well-formed XML: {error}"
        raise UnreadableError(reason) from error
    if not listener.is_report:
        reason = "the report is XML, but no JUnit: it holds no testsuite"
        raise UnreadableError(reason)
    return listener.count


def _legal(content: bytes) -> bytes:
    text = decoded(content)
    # A runner that prints to its own standard output may say something first.
    text = text.lstrip()
    if not text.startswith("<"):
        start = _START.search(text, 0, TEXT_HEAD)
        text = text[start.start() :] if start else text
    text = _ILLEGAL_REFERENCE.sub(MARK, text)
    if text.isascii():
        data = text.encode()
        if len(data.translate(None, _CONTROLS)) == len(data):
            return data
    return _ILLEGAL.sub(MARK, text).encode()


def _refuse_doctype(*_declared: object) -> None:
    reason = "the report declares a document type, as no report does"
    raise UnreadableError(reason)


class _Listener:
    def __init__(self, take: Callable[[Case], None]) -> None:
        self.count = 0
        self.is_report = False
        self._take = take
        self._elements = 0
        self._depth = 0
        self._suites: list[str] = []
        self._around: tuple[str, ...] = ()
        self._case: dict[str, str] | None = None
        self._problem: dict[str, str] | None = None
        self._problems: list[Problem] = []
        self._is_skipped = False
        self._is_todo = False
        self._head: list[str] = []
        self._head_left = 0
        self._tail = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._elements > ELEMENTS_LIMIT or self._depth > DEPTH_LIMIT:
            self._refuse()
        if name in ("testsuite", "testsuites"):
            self.is_report = True
            self._suites.append(_attribute(attributes, "name"))
            self._around = tuple(self._suites[-SUITES_NAMED:])
        elif name == "testcase":
            self._case = attributes
            self._problems, self._is_skipped, self._is_todo = [], False, False
        elif self._case is not None:
            self._start_inside(name, attributes)

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        if name in _PROBLEMS:
            self._problem = attributes
            self._head, self._head_left, self._tail = [], TEXT_HEAD, ""
        elif name == "skipped":
            self._is_skipped = True
            # Node runs a test that is still to do, and does not count its failure.
            self._is_todo = attributes.get("type") == "todo"

    def characters(self, text: str) -> None:
        if self._problem is None:
            return
        if self._head_left > 0:
            self._head.append(text[: self._head_left])
            rest = text[self._head_left :]
            self._head_left -= len(text)
            text = rest
        if text:
            self._tail = (self._tail + text[-TEXT_TAIL:])[-TEXT_TAIL:]

    def end(self, name: str) -> None:
        self._depth -= 1
        if name in ("testsuite", "testsuites"):
            self._suites.pop()
            self._around = tuple(self._suites[-SUITES_NAMED:])
        elif name == "testcase" and self._case is not None:
            self._hand_on(self._case)
            self._case = None
        elif name in _PROBLEMS and self._problem is not None:
            text = "".join(self._head) + self._tail
            message, kind = _attribute(self._problem, "message"), _attribute(self._problem, "type")
            self._problems.append(Problem(message, kind, text))
            self._problem = None

    def _hand_on(self, attributes: dict[str, str]) -> None:
        self.count += 1
        problem = self._problems[0] if self._problems and not self._is_todo else None
        get, limit = attributes.get, ATTRIBUTE_CHARACTERS
        case = Case(  # spelled out, because reports hold many
            get("name", "")[:limit],
            get("classname", "")[:limit],
            get("file", "")[:limit],
            get("line", "")[:limit],
            get("column", "")[:limit],
            self._around,
            problem,
            self._is_skipped,
        )
        self._take(case)

    def _refuse(self) -> NoReturn:
        is_deep = self._depth > DEPTH_LIMIT
        reason = "is nested too deeply" if is_deep else "holds too many elements"
        message = f"the report {reason}"
        raise UnreadableError(message)


def _attribute(attributes: dict[str, str], name: str) -> str:
    return attributes.get(name, "")[:ATTRIBUTE_CHARACTERS]
