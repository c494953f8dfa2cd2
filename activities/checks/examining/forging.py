"""Code that notices being tested, or that could write what the checks are said to report.

Only what is new counts, and only code: comments, docstrings and sentences in strings do not.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from activities.checks.examining import ledger, roles
from activities.checks.examining.ledger import Entry
from activities.checks.examining.python_source import Line, PythonSource
from activities.checks.examining.tampering import tampering
from workflows.contract.findings import Finding

_EVERYWHERE = re.compile(
    r"""
    \bos\._exit\b | \b_exit\b
    | \b(?:settrace|gettrace|setprofile|getprofile)\b
    | \b(?:sitecustomize|usercustomize)\b
    | \b(?:builtins|__builtins__)\b[\w.\[\]""]{0,100}=(?!=)
    | \b(?:OVERNIGHT|PYTEST)_\w+
    | \bhookimpl\b | \bpytest\.exit\b
    | ^(?:async\ )?def\ pytest_(?!addoption\b|generate_tests\b|report_header\b)\w+
    | \bcollect_ignore(?:_glob)?\b | \bpytest_plugins\b
    """,
    re.VERBOSE,
)
_PYTEST_INSIDES = re.compile(
    r"\b_pytest\.(?:runner|reports|terminal|junitxml|main|outcomes|python|skipping|unittest"
    r"|assertion|config|pytester)\b"
)
_OUTSIDE_TESTS = re.compile(r"\batexit\b")
_RUNNERS = re.compile(r"\b(?:_?pytest|unittest|pluggy|junit\w*)\b", re.IGNORECASE)
_STRING_EVERYWHERE = re.compile(r"\b(?:OVERNIGHT|PYTEST)_\w*|\b_exit\b|\bsettrace\b")
_STRING_OUTSIDE_TESTS = re.compile(
    r"\b_?py\.?test\b|\bunittest\b|\bjunit|\bsitecustomize\b|\busercustomize\b", re.IGNORECASE
)
_LINES = re.compile(
    r"\bOVERNIGHT_\w+|\b(?:JEST_WORKER_ID|VITEST(?:_\w+)?)\b|\btesting\.Testing\(|\"test\.v\""
)
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PLAIN_CODINGS = frozenset({"utf-8", "utf8", "ascii", "us-ascii", "latin-1", "iso-8859-1"})
_DECLARES_TESTS = frozenset({"setup.py"})
"""Names what its tests need, as strings."""


class _Use(NamedTuple):
    what: str
    line: int


def uses(path: str, text: str, python: PythonSource | None) -> tuple[Entry, ...]:
    """Return what of a file counts; `python` is the file taken apart, if it is Python."""
    lines = ledger.lines_of(text)
    if python is None:
        numbered = (Line(number, line) for number, line in enumerate(text.split("\n"), 1))
        found = list(_matches(_LINES, numbered))
    else:
        found = [*_of_statements(path, python), *_of_strings(path, python), *_of_coding(lines)]
    return tuple(Entry(use.what, use.line, lines[use.line - 1]) for use in found)


def added(
    before: Mapping[str, tuple[Entry, ...]], after: Mapping[str, tuple[Entry, ...]]
) -> Iterator[Finding]:
    """Return a finding for each use that the work adds.

    A file that names a test runner already may do so more often: it is made for that.
    """
    for path, entry in ledger.gained(before, after):
        known = {old.what for old in before.get(path, ())}
        if _RUNNERS.fullmatch(entry.what) and entry.what in known:
            continue
        rule = "steers-tests" if roles.is_test(path) else "knows-of-tests"
        yield tampering(rule, path, _message(path, entry.what[:100]), line=entry.line)


def _message(path: str, what: str) -> str:
    if roles.is_test(path):
        return f"adds `{what}`, which can change what is reported of tests: do without it"
    return (
        f"adds `{what}` to code that is no test, which can tell being tested from being used: "
        "do without it, or move it to the tests"
    )


def _of_coding(lines: Sequence[str]) -> Iterator[_Use]:
    """Find an encoding in which text is other code than it looks like."""
    for number, line in enumerate(lines[:2], 1):
        coding = _CODING.match(line)
        if coding and coding[1].lower().replace("_", "-") not in _PLAIN_CODINGS:
            yield _Use(f"coding: {coding[1]}", number)


def _of_statements(path: str, python: PythonSource) -> Iterator[_Use]:
    yield from _matches(_EVERYWHERE, python.statements)
    if roles.is_test(path):
        yield from _matches(_PYTEST_INSIDES, python.statements)
        return
    yield from _matches(_OUTSIDE_TESTS, python.statements)
    yield from _once(_matches(_RUNNERS, python.statements))


def _of_strings(path: str, python: PythonSource) -> Iterator[_Use]:
    if path.rpartition("/")[2] in _DECLARES_TESTS:
        return
    yield from _matches(_STRING_EVERYWHERE, python.strings)
    if not roles.is_test(path):
        words = [line for line in python.strings if not re.search(r"\s", line.text)]
        yield from _once(_matches(_STRING_OUTSIDE_TESTS, words))


def _once(found: Iterable[_Use]) -> Iterator[_Use]:
    """Leave out a second use in one line: the first says enough."""
    seen: set[int] = set()
    for use in found:
        if use.line not in seen:
            seen.add(use.line)
            yield use


def _matches(pattern: re.Pattern[str], lines: Iterable[Line]) -> Iterator[_Use]:
    for number, text in lines:
        for found in pattern.finditer(text):
            yield _Use(found[0], number)
