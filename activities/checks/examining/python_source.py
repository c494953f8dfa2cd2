"""Python text taken apart into statements, comments and strings, without parsing or running it.

The tokeniser is written in Python and takes any nesting; the parser of `ast` can bring a process
down with text made for that.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

_LAYOUT = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})
_WORD = re.compile(r"\w")
_QUOTED = re.compile(r"[a-zA-Z]{0,3}(\"\"\"|'''|\"|')(.*)\1", re.DOTALL)


class Line(NamedTuple):
    """A piece of text and the line that it begins in, from 1."""

    number: int
    text: str


class PythonSource(NamedTuple):
    """What stands in Python text."""

    statements: tuple[Line, ...]
    """Without comments; with `""` for every string, and one space where one is needed."""

    comments: tuple[Line, ...]
    strings: tuple[Line, ...]
    """What is in the strings, but for docstrings and other strings that do nothing."""


def read_python(text: str) -> PythonSource:
    """Take Python text apart; from where it is none on, line by line."""
    reading = _Reading()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            reading.take(token)
    except (tokenize.TokenError, SyntaxError, ValueError):
        reading.take_lines(text)
    reading.end_statement()
    return PythonSource(tuple(reading.statements), tuple(reading.comments), tuple(reading.strings))


class _Reading:
    """Statements as far as they were read."""

    def __init__(self) -> None:
        self.statements: list[Line] = []
        self.comments: list[Line] = []
        self.strings: list[Line] = []
        self._parts: list[str] = []
        self._quoted: list[Line] = []
        self._begins = 0
        self._ended = 0

    def take(self, token: tokenize.TokenInfo) -> None:
        if token.type == tokenize.COMMENT:
            self.comments.append(Line(token.start[0], token.string))
        elif token.type == tokenize.NEWLINE:
            self.end_statement()
            self._ended = token.start[0]
        elif token.type != tokenize.NL and token.type not in _LAYOUT:
            self._extend(token)

    def take_lines(self, text: str) -> None:
        """Go on behind what was read: the text is no Python from there on."""
        self._parts, self._quoted = [], []
        self.comments = [line for line in self.comments if line.number <= self._ended]
        for number, line in enumerate(text.split("\n"), 1):
            if number > self._ended:
                code, mark, comment = line.partition("#")
                self.statements.append(Line(number, code.strip()))
                self.strings += [Line(number, found) for found in _strings_of(code)]
                self.comments += [Line(number, mark + comment)] if mark else []

    def end_statement(self) -> None:
        does_something = any(part != '""' for part in self._parts)
        if does_something:
            self.statements.append(Line(self._begins, "".join(self._parts)))
            self.strings += self._quoted
        self._parts, self._quoted = [], []

    def _extend(self, token: tokenize.TokenInfo) -> None:
        if not self._parts:
            self._begins = token.start[0]
        text = token.string
        if token.type == tokenize.STRING or tokenize.tok_name[token.type].startswith("FSTRING"):
            quoted = _QUOTED.fullmatch(text)
            self._quoted.append(Line(token.start[0], quoted[2] if quoted else text))
            text = '""'
        if self._parts and _WORD.match(self._parts[-1][-1:]) and _WORD.match(text):
            self._parts.append(" ")
        self._parts.append(text)


def _strings_of(code: str) -> Iterator[str]:
    for found in re.finditer(r"\"([^\"]*)\"|'([^']*)'", code):
        yield found[1] or found[2] or ""
