"""Turns what the gateway answers into text for people; pure."""

from datetime import datetime

import typer

from cli.terminal import inert, inert_line, table
from workflows.contract.api import SessionResource
from workflows.contract.checks import CheckResult
from workflows.contract.explanations.table import explain, known
from workflows.contract.findings import FindingCounts, TestCounts
from workflows.contract.judging import Verdict, VerdictGiven
from workflows.contract.model import Usage
from workflows.contract.pull_request import FileChange, PullRequest
from workflows.contract.session import (
    Budget,
    Phase,
    QueuedPrompt,
    SessionView,
    StopReason,
    TurnEnd,
)

SHOWN_FILES = 20
_MINUTE_SECONDS = 60

_REOPEN = 'go on with it: overnight reopen {session} "…"'

_VERDICTS = {
    Verdict.GREEN: ("green", "green"),
    Verdict.NO_WORSE: ("no worse than before", "yellow"),
    Verdict.UNVERIFIED: ("not verified: a check could not be run", "yellow"),
    Verdict.UNCHECKED: ("unchecked: the repository has no checks", "yellow"),
    Verdict.UNCHANGED: ("nothing changed", None),
    Verdict.RED: ("red", "red"),
}


def progress(view: SessionView) -> str:
    """Return what the session does now, as one line."""
    step = f"  step {view.step}" if view.step and view.phase is Phase.WORKING else ""
    # The question itself is shown whole, beneath.
    doing = "a person must answer" if view.asked is not None else inert_line(view.activity, 100)
    activity = f"  {doing}" if doing else ""
    queued = f"  ({view.queued} queued)" if view.queued else ""
    return f"{view.phase.value:<9}{step}{activity}{queued}".rstrip()


def sessions(found: list[SessionResource], now: datetime, width: int | None = None) -> str:
    """Return sessions as a table, in the order given; titles and acts are cut to the width."""
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
    return table(head, rows, within=width, flexible=2)


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


def unpriced(found: SessionResource) -> str:
    """Return that the limit on the session's cost does nothing; empty when it does."""
    usage, limit = found.view.usage, found.budget.cost_usd
    if limit is None or usage.cost_usd is not None or not usage.requests:
        return ""
    return f"price unknown: ${limit:g} is not enforced (--tokens is)"


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


def end(session: str, last: TurnEnd, *, is_closed: bool = False) -> str:
    """Return why a turn ended and what can be done then."""
    why = "\n".join(_why(f"session {session}", last))
    advice = (_REOPEN if is_closed else _advice(last)).format(session=session)
    return why + (f"\n  {typer.style('try:', bold=True)} {advice}" if advice else "")


def turn_end(last: TurnEnd) -> list[str]:
    """Return why a turn ended, for who is there and types what is next."""
    return _why(typer.style(f"turn {last.turn} has ended", bold=True), last)


def _why(what: str, last: TurnEnd) -> list[str]:
    is_news = last.summary and not last.summary.startswith(ended(last.reason))
    summary = [f"  {line}".rstrip() for line in inert(last.summary).splitlines() if is_news]
    code = f" [{inert_line(last.failure)}]" if last.failure else ""
    return [f"{what}: {ended(last.reason)}{code}", *summary]


def ended(reason: StopReason) -> str:
    """Return why a turn ended, as the rest of a sentence."""
    code = known(reason)
    return reason.value if code is None else _inside(explain(code).title)


def _advice(last: TurnEnd) -> str:
    """Return what to do after a turn: about what made it fail, where that is known."""
    code = known(last.failure) or known(last.reason)
    return "" if code is None else explain(code).typed or explain(code).cure


def _inside(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def verdict(given: VerdictGiven) -> list[str]:
    """Return what the gate says of the work, first in a word, then finding by finding."""
    return [*headline(given), *(f"  {inert_line(line, 240)}" for line in given.shown)]


def headline(given: VerdictGiven) -> list[str]:
    """Return the gate's word on the work, how many findings there are, and why it is so."""
    was_judged = given.verdict not in (Verdict.UNCHECKED, Verdict.UNCHANGED)
    counted = f", {judged(given.counts, given.tests, given.tests_at_base)}" if was_judged else ""
    why = [f"  {inert_line(given.why, 300)}"] if given.why else []
    return [f"verdict: {_word(given.verdict)}{counted}", *why]


def judged(counts: FindingCounts, tests: TestCounts, at_base: TestCounts) -> str:
    """Return how many findings and tests there are of each kind; without what there is none of."""
    found = ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in counts.model_dump().items() if count
    )
    return f"{found or 'no findings'}{_tests(tests, at_base)}"


def tests(count: int) -> str:
    """Return how many tests there are."""
    return "1 test" if count == 1 else f"{count} tests"


def findings(count: int) -> str:
    """Return how many findings there are."""
    return {0: "no findings", 1: "1 finding"}.get(count, f"{count} findings")


def budget(allowed: Budget) -> str:
    """Return what may be used."""
    tokens = f", {allowed.tokens:,} tokens in all" if allowed.tokens is not None else ""
    cost = f", ${allowed.cost_usd:g} in all" if allowed.cost_usd is not None else ""
    return f"{allowed.steps} steps and {allowed.minutes:g} minutes a turn{tokens}{cost}"


def prompts(waiting: tuple[QueuedPrompt, ...]) -> str:
    """Return prompts that wait as a table, in their order."""
    rows = [(prompt.id, prompt.mode.value, inert_line(prompt.excerpt, 60)) for prompt in waiting]
    return table(("PROMPT", "MODE", "TEXT"), rows)


def taken_up(waiting: int) -> str:
    """Return what becomes of prompts that wait when the running turn is stopped."""
    if waiting == 1:
        return "1 prompt waits and is taken up now"
    return f"{waiting} prompts wait and are taken up now"


def _tests(tests: TestCounts, at_base: TestCounts) -> str:
    if not tests.ran and not at_base.ran:
        return ""
    return (
        f"; tests {tests.passed} passed, {tests.failed} failed "
        f"(before: {at_base.passed}, {at_base.failed})"
    )


def _word(verdict: Verdict) -> str:
    word, colour = _VERDICTS[verdict]
    return typer.style(word, fg=colour, bold=True)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _file(change: FileChange) -> str:
    if not change.added and not change.removed:
        return f"  {'binary':>12}  {inert_line(change.path)}"
    counts = f"+{change.added} -{change.removed}"
    return f"  {counts:>12}  {inert_line(change.path)}"


def _checks(proposal: PullRequest) -> str:
    each = ", ".join(
        f"{inert_line(check.name)} {_outcome(check)} ({duration(check.seconds)})"
        for check in proposal.checks
    )
    return f"{_judgement(proposal)}: {each}" if each else _judgement(proposal)


def _judgement(proposal: PullRequest) -> str:
    return _word(proposal.verdict) + (" (a draft)" if proposal.draft else "")


def _outcome(check: CheckResult) -> str:
    if not check.runnable:
        return "could not be run"
    return "passed" if check.passed else "failed"


def _proposal(view: SessionView) -> str:
    if view.pull_request is None:
        return "-"
    failed = "draft" if view.pull_request.draft else "failed"
    verdicts = {True: "passed", False: failed, None: "unchecked"}
    return f"r{view.pull_request.revision} {verdicts[view.pull_request.passed]}"


def _now(view: SessionView) -> str:
    if view.phase in (Phase.WAITING, Phase.CLOSED):
        return ended(view.last.reason) if view.last else ""
    if view.asked is not None:
        return f"needs an answer: {inert_line(view.asked.text, 50)}"
    return inert_line(view.activity, 50)
