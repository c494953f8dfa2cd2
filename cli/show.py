"""Turns what the gateway answers into text for people; pure."""

from datetime import datetime

import typer

from cli.terminal import inert_line, table
from workflows.contract.api import SessionResource
from workflows.contract.model import Usage
from workflows.contract.pull_request import FileChange, PullRequest
from workflows.contract.session import Phase, SessionView, StopReason, TurnEnd

SHOWN_FILES = 20
_MINUTE_SECONDS = 60

_ENDS = {
    StopReason.FINISHED: "finished",
    StopReason.STEP_BUDGET: "its steps are used up",
    StopReason.TIME_BUDGET: "its time is used up",
    StopReason.INTERRUPTED: "stopped by a person",
    StopReason.FAILED: "failed",
}


def progress(view: SessionView) -> str:
    """Return what the session does now, as one line."""
    step = f"  step {view.step}" if view.step and view.phase is Phase.WORKING else ""
    activity = f"  {inert_line(view.activity, 100)}" if view.activity else ""
    queued = f"  ({view.queued} queued)" if view.queued else ""
    return f"{view.phase.value:<9}{step}{activity}{queued}"


def sessions(found: list[SessionResource], now: datetime) -> str:
    """Return sessions as a table, in the order given."""
    head = ("SESSION", "PHASE", "STEP", "AGE", "USED", "PROPOSAL", "TITLE", "NOW")
    rows = [
        (
            session.id,
            session.view.phase.value,
            str(session.view.step or "-"),
            duration((now - session.created_at).total_seconds()),
            used(session.view.usage),
            _proposal(session.view),
            inert_line(session.title, 40),
            _now(session.view),
        )
        for session in found
    ]
    return table(head, rows)


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: `4.2s`, `3m07s`, `5h12m`, `2d03h`."""
    if seconds < _MINUTE_SECONDS:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    for size, unit, smaller, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // smaller:02d}{name}"
    return f"{whole // _MINUTE_SECONDS}m{whole % _MINUTE_SECONDS:02d}s"


def used(usage: Usage) -> str:
    """Return the cost, or the tokens where the price is unknown."""
    if usage.cost_usd is not None:
        return f"${usage.cost_usd:.2f}" if usage.cost_usd >= 1 else f"${usage.cost_usd:.4f}"
    return f"{usage.input_tokens + usage.output_tokens:,} tokens"


def pull_request(proposal: PullRequest) -> str:
    """Return the proposal with its files, checks and how to merge it."""
    lines = [
        typer.style(inert_line(proposal.title), bold=True),
        "",
        *(_file(change) for change in proposal.files[:SHOWN_FILES]),
    ]
    hidden = proposal.files_changed - min(len(proposal.files), SHOWN_FILES)
    if hidden > 0:
        lines.append(f"  and {_files(hidden)} more")
    lines += [
        f"  {_files(proposal.files_changed)} changed, +{proposal.added} -{proposal.removed}",
        "",
        f"checks   {_checks(proposal)}",
        f"branch   {inert_line(proposal.branch)}  (revision {proposal.revision})",
        f"merge    {inert_line(proposal.merge_command, 2_000)}",
    ]
    return "\n".join(lines)


def costs(view: SessionView, seconds: float) -> str:
    """Return what the session used so far, in money or tokens and time."""
    requests = f"{view.usage.requests} model request{'s' if view.usage.requests != 1 else ''}"
    return f"used     {used(view.usage)}, {requests}, {duration(seconds)}"


def end(session: str, last: TurnEnd) -> str:
    """Return why a turn ended and what can be done then."""
    why = f"session {session}: {_ENDS[last.reason]}"
    summary = f"\n  {inert_line(last.summary, 300)}" if last.summary else ""
    advice = _advice(session, last.reason)
    return f"{why}{summary}" + (f"\n  {typer.style('try:', bold=True)} {advice}" if advice else "")


def _advice(session: str, reason: StopReason) -> str:
    match reason:
        case StopReason.FINISHED:
            return ""
        case StopReason.STEP_BUDGET | StopReason.TIME_BUDGET:
            return f'give it another turn: overnight prompt {session} "Go on."'
        case StopReason.INTERRUPTED:
            return f'tell it what to do instead: overnight prompt {session} "…"'
        case StopReason.FAILED:
            return f'mend what it names, then: overnight prompt {session} "Go on."'


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _file(change: FileChange) -> str:
    if not change.added and not change.removed:
        return f"  {'binary':>12}  {inert_line(change.path)}"
    counts = f"+{change.added} -{change.removed}"
    return f"  {counts:>12}  {inert_line(change.path)}"


def _checks(proposal: PullRequest) -> str:
    if proposal.passed is None:
        return "none: the repository has no checks"
    colour = "green" if proposal.passed else "red"
    verdict = typer.style("passed" if proposal.passed else "failed", fg=colour, bold=True)
    each = ", ".join(
        f"{inert_line(check.name)} {'passed' if check.passed else 'failed'}"
        f" ({duration(check.seconds)})"
        for check in proposal.checks
    )
    return f"{verdict}: {each}" if each else verdict


def _proposal(view: SessionView) -> str:
    if view.pull_request is None:
        return "-"
    verdicts = {True: "passed", False: "failed", None: "unchecked"}
    return f"r{view.pull_request.revision} {verdicts[view.pull_request.passed]}"


def _now(view: SessionView) -> str:
    if view.phase in (Phase.WAITING, Phase.CLOSED):
        return _ENDS[view.last.reason] if view.last else ""
    return inert_line(view.activity, 50)
