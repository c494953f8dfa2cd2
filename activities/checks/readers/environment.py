"""When a check told nothing that counts: it did not run, or did not run to its end."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from activities.checks.readers.gathering import Draft
from workflows.contract.sandbox import CommandOutcome

PYTEST = "pytest"


class Trouble(NamedTuple):
    """Why nothing is known."""

    rule: str
    message: str


_OUTCOMES = {
    CommandOutcome.TIMEOUT: Trouble("timeout", "the check ran out of time"),
    CommandOutcome.STOPPED: Trouble("stopped", "the check was stopped"),
    CommandOutcome.OUTPUT_LIMIT: Trouble("output-limit", "the check printed too much"),
    CommandOutcome.KILLED: Trouble("killed", "the check was killed"),
    CommandOutcome.LOST: Trouble("lost", "the sandbox was lost while the check ran"),
}
_UNSTARTABLE = {
    126: Trouble("not-executable", "the check's program may not be executed"),
    127: Trouble("not-found", "the check's program is not installed"),
}
_INTERRUPTED = 2
_PYTEST_CODES = {
    _INTERRUPTED: Trouble("interrupted", "pytest was interrupted before it ran all tests"),
    3: Trouble("internal-error", "pytest failed by itself"),
    4: Trouble("usage", "pytest could not start: its arguments or conftest.py are broken"),
    5: Trouble("no-tests", "pytest found no tests"),
}
_CODES: dict[str, frozenset[int]] = {
    "bandit": frozenset({2}),
    "eslint": frozenset({2}),
    "mypy": frozenset({2}),
    "pre-commit": frozenset({3}),
    "pylint": frozenset({32}),
    "pyright": frozenset({2, 3, 4}),
    "ruff": frozenset({2}),
    "shellcheck": frozenset({2, 3, 4}),
}
"""Exit codes by which tools say that they, not the code, are in trouble."""

_MISSING = re.compile(
    r"^(?:\S*python[\d.]*: (?:No module named \S+|can't open file .*)"
    r"|error: [Ff]ailed to spawn: .*|error: no such (?:sub)?command: .*"
    r"|npm (?:error|ERR!) (?:Missing script|could not determine executable).*"
    r"|\S+: (?:line )?\d+: .*: (?:command )?not found)$",
    re.MULTILINE,
)
_WORD = re.compile(r"[a-z][a-z-]*")


def of_outcome(outcome: CommandOutcome, exit_code: int | None) -> Trouble | None:
    """Return why the command itself did not end by itself, or could not begin."""
    if outcome is not CommandOutcome.EXITED:
        return _OUTCOMES[outcome]
    if exit_code is None:
        return Trouble("lost", "nobody knows how the check ended")
    return _UNSTARTABLE.get(exit_code)


def of_pytest(command: str, exit_code: int, found: Sequence[Draft]) -> Trouble | None:
    """Return why pytest did not run what it should have run."""
    if PYTEST not in _tools(command):
        return None
    # Files whose tests could not be found are findings, and all that there is to tell.
    is_explained = exit_code == _INTERRUPTED and any(not finding.test_id for finding in found)
    return None if is_explained else _PYTEST_CODES.get(exit_code)


def of_nothing_found(command: str, exit_code: int, output: str) -> Trouble | None:
    """Return why a check that failed named no problem, when the tool is to blame for it."""
    if _MISSING.search(output):
        return _UNSTARTABLE[127]
    tools = _tools(command)
    for tool, codes in _CODES.items():
        if tool in tools and exit_code in codes:
            return Trouble("tool-error", f"{tool} could not do its work")
    return None


def _tools(command: str) -> frozenset[str]:
    words = command.replace("py.test", PYTEST)
    return frozenset(_WORD.findall(words))
