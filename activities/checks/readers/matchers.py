"""The table of problem matchers: how single lines of many tools name a place and a problem.

Each pattern looks at a line once, from its beginning: output is long, and may be made to be slow.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from workflows.contract.findings import FindingKind

RULE_CHARACTERS = 80


class Matcher(NamedTuple):
    """One form of line; its groups are named as fields of findings."""

    tools: str
    pattern: re.Pattern[str]
    rule: str = ""
    message: str = ""
    kind: FindingKind | None = None
    fixable: bool = False


_PATH = r"(?P<path>(?:[A-Za-z]:)?[^\s:][^:]*)"
_PLACE = _PATH + r":(?P<line>\d+):(?P<column>\d+)"
_SEVERITY = r"(?P<severity>fatal error|error|warning|note|info|information|hint|style)"
_CODE = r"(?P<rule>[A-Z]{1,8}[0-9]{1,6}|invalid-syntax|unformatted)"

MATCHERS = (
    Matcher(
        "tsc, msbuild",
        re.compile(
            r"(?P<path>[^\s:(][^:]*?)\((?P<line>\d+),(?P<column>\d+)\): "
            + _SEVERITY
            + r" (?P<rule>[A-Z]+\d+): (?P<message>.*)"
        ),
    ),
    Matcher(
        "gcc, clang, mypy, shellcheck",
        re.compile(
            _PATH + r":(?P<line>\d+)(?::(?P<column>\d+))?: ?" + _SEVERITY + ": ?(?P<message>.*)"
        ),
    ),
    Matcher(
        "pyright",
        re.compile(r"  " + _PLACE + r" - " + _SEVERITY + r": (?P<message>.*)"),
    ),
    Matcher(
        "ruff, flake8, pylint, pycodestyle",
        re.compile(_PLACE + r":? " + _CODE + r":? (?P<fix>\[\*\] )?(?P<message>.*)"),
    ),
    Matcher(
        "black",
        re.compile(
            r"error: cannot (?:parse|format):? " + _PATH + r":(?P<line>\d+):(?P<column>\d+)"
        ),
        rule="invalid-syntax",
        message="does not parse",
        kind=FindingKind.COMPILE,
    ),
    Matcher(
        "black, older",
        re.compile(r"error: cannot format " + _PATH + r": (?P<message>Cannot parse.*)"),
        rule="invalid-syntax",
        kind=FindingKind.COMPILE,
    ),
    Matcher(
        "ruff format, black",
        re.compile(r"[Ww]ould reformat:? (?P<path>\S.*)"),
        rule="unformatted",
        message="file would be reformatted",
        kind=FindingKind.FORMAT,
        fixable=True,
    ),
    Matcher(
        "ruff format, older",
        re.compile(r"error: Failed to parse " + _PLACE + r": (?P<message>.*)"),
        rule="invalid-syntax",
        kind=FindingKind.COMPILE,
    ),
    Matcher(
        "isort",
        re.compile(r"ERROR: (?P<path>\S.*) Imports are incorrectly sorted.*"),
        rule="unsorted-imports",
        message="imports are incorrectly sorted",
        kind=FindingKind.FORMAT,
        fixable=True,
    ),
    Matcher(
        "prettier",
        re.compile(r"\[warn\] (?P<path>[^\s:]+\.\w+)"),
        rule="unformatted",
        message="file would be reformatted",
        kind=FindingKind.FORMAT,
        fixable=True,
    ),
    Matcher(
        "maven",
        re.compile(
            r"\[(?P<severity>ERROR|WARNING)\] "
            r"(?P<path>[^\s:][^:]*):\[(?P<line>\d+),(?P<column>\d+)\] (?P<message>.*)"
        ),
    ),
    Matcher(
        "go, and whatever names line and column",
        re.compile(r"(?P<path>[^\s:]+\.\w+):(?P<line>\d+):(?P<column>\d+): (?P<message>\S.*)"),
    ),
)


def match(line: str) -> tuple[Matcher, Mapping[str, str]] | None:
    """Return the first matcher that knows the line, and what it read."""
    for matcher in MATCHERS:
        if found := matcher.pattern.fullmatch(line):
            return matcher, {key: value or "" for key, value in found.groupdict().items()}
    return None


def rule_at_end(message: str) -> tuple[str, str]:
    """Split a rule in brackets off the end of a message, as gcc, mypy, shellcheck and pylint do."""
    for opening, closing in (("[", "]"), ("(", ")")):
        before, bracket, rule = message.rpartition(f" {opening}")
        is_rule = rule.endswith(closing) and 1 < len(rule) < RULE_CHARACTERS and " " not in rule
        if bracket and before.strip() and is_rule:
            return before.rstrip(), rule[:-1]
    return message, ""
