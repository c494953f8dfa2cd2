"""How a proposal is put into words: commit message and title; pure."""

import re
import unicodedata
from collections.abc import Iterable

from workflows.contract.checks import CheckResult
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import Propose

TITLE_CHARACTERS = 72
"""Longest first line of a commit message."""

_BODY_CHARACTERS = 16_000
_MENTION = re.compile(r"(?<![\w`./])@(?=\w)")
_DIRECTION = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_TAGS = {chr(code) for code in range(0xE0000, 0xE0080)}
"""Invisible copies of ASCII, fit to hide text in text."""

_NO_WIDTH = "\u200b"


_VERDICTS = {
    Verdict.GREEN: "Every check passes.",
    Verdict.NO_WORSE: "Draft: checks fail, but only with what was there before this work.",
    Verdict.UNVERIFIED: "Draft: not everything could be checked.",
    Verdict.UNCHECKED: "The repository names no checks.",
    Verdict.UNCHANGED: "The work was taken back: nothing differs from the base.",
    Verdict.RED: "Draft: findings of this work stand; a person wanted it proposed all the same.",
}


def title(request: Propose) -> str:
    """Return a title of one line and at most 72 characters."""
    line = " ".join(harmless(request.title).split())
    if len(line) > TITLE_CHARACTERS:
        line = line[: TITLE_CHARACTERS - 1].rstrip() + "…"
    return line or "Proposed change"


def message(request: Propose) -> str:
    """Return the commit message: title, body, verdict, what stands, checks, and the session."""
    parts = [title(request), harmless(request.body).strip()[:_BODY_CHARACTERS]]
    parts.append(_VERDICTS[request.verdict])
    parts.append("\n".join(f"- {_line(remark)}" for remark in request.remarks))
    parts.append(_table(request.checks))
    parts.append(f"Overnight-Session: {request.session}")
    return "\n\n".join(part for part in parts if part) + "\n"


def harmless(text: str) -> str:
    """Drop characters that steer terminals or turn text around; let `@name` call nobody."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(char for char in lines if char in "\n\t" or _is_plain(char))
    return _MENTION.sub(f"@{_NO_WIDTH}", plain)


def _is_plain(char: str) -> bool:
    is_control = unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
    return not (char in _TAGS or is_control or unicodedata.bidirectional(char) in _DIRECTION)


def _table(checks: Iterable[CheckResult]) -> str:
    rows = [
        f"| {check.name} | {'passed' if check.passed else _failure(check)} | "
        f"{check.seconds:.1f} s | {_cell(check.command)} |"
        for check in checks
    ]
    if not rows:
        return ""
    return "\n".join(["| check | result | time | command |", "|---|---|---|---|", *rows])


def _failure(check: CheckResult) -> str:
    if not check.runnable:
        return "could not be run"
    return f"failed ({check.exit_code})" if check.exit_code is not None else check.outcome.value


def _line(text: str) -> str:
    return " ".join(harmless(text).split())


def _cell(command: str) -> str:
    line = _line(command).replace("|", "\\|").replace("`", "'")
    return f"`{line[:200]}`"
