"""What the checks found, as text for people; pure."""

from collections import Counter

import typer

from cli import show
from cli.terminal import inert_line, table
from workflows.contract.findings import Finding, FindingReport
from workflows.contract.judging import VerdictGiven
from workflows.contract.session import SessionView

_UNKNOWN = "-"


def judged(view: SessionView, given: VerdictGiven, report: FindingReport | None) -> str:
    """Return how each check ended, the verdict, and each finding that blocks, like a compiler."""
    found = report.findings if report is not None else ()
    left_out = report.left_out if report is not None else 0
    lines = [*_table(view, found), *show.headline(given)]
    lines += [_line(each) for each in sorted(found, key=_place)]
    lines += [f"… and {left_out:,} more were not kept"] if left_out else []
    if not found:
        lines += [f"  {inert_line(line, 240)}" for line in given.shown]
    return "\n".join(lines)


def _table(view: SessionView, found: tuple[Finding, ...]) -> list[str]:
    """Return a row for each check, and for what found something and is none."""
    counts = Counter(each.check for each in found)
    ended = dict(check.partition(" ")[::2] for check in view.checks)
    names = dict.fromkeys([*ended, *counts])
    if not names:
        return []
    rows = [(inert_line(name), _ended(ended.get(name)), str(counts[name])) for name in names]
    return [*table(("CHECK", "RESULT", "BLOCKING"), rows).splitlines(), ""]


def _ended(word: str | None) -> str:
    return inert_line(word) if word else _UNKNOWN


def _line(finding: Finding) -> str:
    what = " ".join(each for each in (finding.check, finding.test_id or finding.rule) if each)
    place = typer.style(inert_line(_where(finding), 600), bold=True)
    return f"{place}: {inert_line(finding.message, 500)} {typer.style(_tag(what), dim=True)}"


def _tag(what: str) -> str:
    return f"[{inert_line(what, 600)}]"


def _where(finding: Finding) -> str:
    if not finding.path:
        return finding.test_id or finding.check
    return f"{finding.path}:{finding.line}" if finding.line else finding.path


def _place(finding: Finding) -> tuple[str, str, int]:
    return finding.check, finding.path, finding.line
