"""Marks that make a check look away: which a file holds, and which the work adds.

Marks of Python count where Python has them, in comments and statements, not in strings. Other
languages are read line by line.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from activities.checks.examining import ledger, roles
from activities.checks.examining.ledger import Entry
from activities.checks.examining.python_source import Line, PythonSource
from activities.checks.examining.tampering import tampering
from workflows.contract.findings import Finding, Severity

_CODES = r"[\w\-, ]*"
_COMMENTS = re.compile(
    rf"""
    \#\s* (?:
        (?:(?:ruff|flake8)\s*:\s*)? noqa\b (?:\s*:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?
        | ruff\s*:\s* (?:disable|ignore|file-ignore)\b (?:\s*\[[^\]]*\])?
        | type\s*:\s*ignore\b (?:\[[^\]]*\])?
        | mypy\s*:\s*(?!strict\s*$) [\w-][^#]*
        | (?:based)?pyright\s*:\s*(?!strict\b) \w+ (?:\[[^\]]*\]|={_CODES})?
        | (?:ty|pyrefly|zuban)\s*:\s*ignore\b (?:\[[^\]]*\])?
        | pyre-(?:ignore|fixme|unsafe)\w* | pytype\s*:\s*(?:disable|skip-file)={_CODES}
        | no(?:sec|semgrep)\b (?:\s*:?\s*B[0-9]+)*
        | isort\s*:\s*skip\w*
    )
    | \bpylint\s*:\s*(?:disable|skip-file)[\w-]* (?:\s*=\s*{_CODES})?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MILD_COMMENTS = re.compile(
    r"fmt\s*:\s*(?:off|skip)\b|yapf\s*:\s*disable|pragma\s*:\s*no\s*(?:cover|branch)", re.IGNORECASE
)
_STATEMENTS = re.compile(
    r"""
    \bmark\.(?:skip|skipif|xfail)\b
    | \bpytest\.(?:skip|xfail|importorskip)\b
    | ^@(?:\w+\.)*(?:skip|skipIf|skipUnless|skipif|xfail|expectedFailure)\b
    | ^from\ (?:_?pytest|unittest)[\w.]*\ import\b.*\b(?:skip\w*|xfail|importorskip)\b
    | \b(?:SkipTest|skipTest|expectedFailure)\b
    | \bno_type_check(?:_decorator)?\b
    | ^pytestmark\b (?!.*\bmark\.(?!skip|xfail))
    | \b__test__=False\b
    | \bcollect_ignore(?:_glob)?\b
    """,
    re.VERBOSE,
)
_CONDITIONAL = re.compile(r"skipif|skipIf|skipUnless|importorskip")
_LINES = re.compile(
    r"""
    eslint-disable[\w-]* | @ts-(?:ignore|nocheck|expect-error) | tslint:disable | biome-ignore
    | oxlint-disable[\w-]* | stylelint-disable[\w-]*
    | //\s*nolint[\w:,-]* | \#!?\[\s*(?:allow|expect|ignore)\b[^\]]* | \bNOLINT\w*
    | @SuppressWarnings\b | @(?:Ignore|Disabled)\b | \#\s*pragma\s+(?:GCC|clang)\s+diagnostic
    | \#pragma\s+warning\s+disable | shellcheck\s+disable[\w=,]* | rubocop:disable
    | @phpstan-ignore[\w-]* | phpcs:(?:ignore|disable) | @psalm-suppress | @SuppressLint
    | \bt\.Skip(?:f|Now)?\(
    """,
    re.VERBOSE,
)
_SCRIPT_TESTS = re.compile(
    r"\b(?:describe|it|test|suite|context)\.(?:skip|only|todo|fixme|failing)\b"
    r"|\b(?:x(?:it|describe|test)|f(?:it|describe))\("
)


class _Mark(NamedTuple):
    what: str
    line: int
    is_mild: bool = False
    """It silences nothing that says whether the code works, so it is only remarked."""


def marks(path: str, text: str, python: PythonSource | None) -> tuple[Entry, ...]:
    """Return the marks of a file; `python` is the file taken apart, if it is Python."""
    lines = ledger.lines_of(text)
    found = _of_python(python) if python is not None else _of_lines(path, text)
    return tuple(
        Entry(mark.what, mark.line, lines[mark.line - 1]) for mark in found if not mark.is_mild
    )


def mild_marks(text: str, python: PythonSource | None) -> tuple[Entry, ...]:
    """Return the marks that are only remarked: formatters' and those of coverage."""
    lines = ledger.lines_of(text)
    found = _of_python(python) if python is not None else ()
    return tuple(
        Entry(mark.what, mark.line, lines[mark.line - 1]) for mark in found if mark.is_mild
    )


def added(
    before: Mapping[str, tuple[Entry, ...]],
    after: Mapping[str, tuple[Entry, ...]],
    severity: Severity = Severity.ERROR,
) -> Iterator[Finding]:
    """Return a finding for each mark that the work adds.

    What a whole new file of tests skips under a condition is its own affair: no test that was
    there before is skipped by that.
    """
    for path, entry in ledger.gained(before, after):
        is_new_test = path not in before and roles.is_test(path)
        if is_new_test and _CONDITIONAL.search(entry.what):
            continue
        message = (
            f"adds `{entry.what[:100]}`, which makes a check look away: "
            "remove it and mend what the check says"
        )
        yield tampering("suppression-added", path, message, line=entry.line, severity=severity)


def _of_python(python: PythonSource) -> Iterator[_Mark]:
    yield from _matches(_COMMENTS, python.comments)
    yield from _matches(_STATEMENTS, python.statements)
    for mark in _matches(_MILD_COMMENTS, python.comments):
        yield mark._replace(is_mild=True)


def _of_lines(path: str, text: str) -> Iterator[_Mark]:
    numbered = [Line(number, line) for number, line in enumerate(text.split("\n"), 1)]
    yield from _matches(_LINES, numbered)
    if roles.is_test(path):
        yield from _matches(_SCRIPT_TESTS, numbered)


def _matches(pattern: re.Pattern[str], lines: Iterable[Line]) -> Iterator[_Mark]:
    for number, text in lines:
        for found in pattern.finditer(text):
            yield _Mark(" ".join(found[0].split()), number)
