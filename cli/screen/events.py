"""Turns a session's events into short lines for people; pure."""

from datetime import tzinfo
from functools import singledispatch

import typer

from cli import show
from cli.terminal import inert_line
from workflows.contract import events
from workflows.contract.events import Happened, SessionEvent
from workflows.contract.explanations.table import explain, known
from workflows.contract.sandbox import CommandOutcome, Opened
from workflows.contract.session import PromptMode
from workflows.contract.transcript import ToolName

SHELL_CHARACTERS = 160
"""More of a command is not shown; the event has it."""


def lines(event: SessionEvent, zone: tzinfo | None = None) -> list[str]:
    """Return an event as the lines to show, the first with its time; none for what shows nothing.

    Times are local, or of `zone`.
    """
    first, *more = describe(event.event) or [""]
    if not first:
        return []
    time = typer.style(f"{event.at.astimezone(zone):%H:%M:%S}", dim=True)
    return [f"{time}  {first}", *(f"          {line}" for line in more)]


@singledispatch
def describe(event: Happened) -> list[str]:
    """Return the lines of one kind of event."""
    raise TypeError(event)


@describe.register
def _(event: events.Opening) -> list[str]:
    did = "started" if event.kind == "session.started" else "opened again"
    where = f"{inert_line(event.branch)} of {inert_line(event.repository.url)}"
    return [_bold(f"session {did}: {inert_line(event.title)}"), f"{where}, {event.model}"]


@describe.register
def _(event: events.PromptArrived) -> list[str]:
    mode = "" if event.mode is PromptMode.QUEUE else f" ({event.mode.value})"
    return [_bold(f"prompt{mode}: {inert_line(event.excerpt, SHELL_CHARACTERS)}")]


@describe.register
def _(event: events.PromptRevised) -> list[str]:
    return [f"waiting prompt replaced: {inert_line(event.excerpt, SHELL_CHARACTERS)}"]


@describe.register
def _(event: events.PromptWithdrawn) -> list[str]:
    return [f"waiting prompt taken back: {inert_line(event.prompt_id)}"]


@describe.register
def _(event: events.DecisionMade) -> list[str]:
    if event.approved:
        answer = inert_line(event.text, SHELL_CHARACTERS)
        return [_bold(f"a person answered: {answer}" if answer else "a person allowed it")]
    return [_bold("a person refused it") + _because(event.text)]


@describe.register
def _(event: events.PromptRefused) -> list[str]:
    why = typer.style(f"prompt not taken: {inert_line(event.reason)}", fg="red")
    return [why, inert_line(event.excerpt, SHELL_CHARACTERS)]


@describe.register
def _(event: events.DecisionRefused) -> list[str]:
    did = "answer" if event.approved else "refusal"
    return [typer.style(f"that {did} did not count: {inert_line(event.reason)}", fg="red")]


@describe.register
def _(event: events.Configured) -> list[str]:
    changed = [f"model {inert_line(event.model)}"] if event.model else []
    if event.fallbacks is not None:
        changed.append(f"else {inert_line(', '.join(event.fallbacks)) or 'no other'}")
    if event.budget is not None:
        changed.append(show.budget(event.budget))
    return [f"from now on: {', '.join(changed)}"]


@describe.register
def _(event: events.StopRequested) -> list[str]:
    what = "stop" if event.kind == "interrupt.requested" else "close"
    return [f"asked to {what}{_because(event.reason)}"]


@describe.register
def _(event: events.ViewChanged) -> list[str]:
    """Show nothing: what led to it is an event of its own."""
    del event
    return []


@describe.register
def _(event: events.StepAsked) -> list[str]:
    return [f"step {event.step}: asking {inert_line(event.model)}"]


@describe.register
def _(event: events.StepTaken) -> list[str]:
    # Commands tell of themselves when they start.
    calls = [
        f"{call.name.value}: {_shell(call.summary)}"
        for call in event.calls
        if call.name is not ToolName.BASH
    ]
    refused = [
        f"refused {inert_line(call.name)}: {inert_line(call.reason)}" for call in event.refused
    ]
    return [f"step {event.step}: replied in {show.duration(event.seconds)}", *calls, *refused]


@describe.register
def _(event: events.CommandStarted) -> list[str]:
    return [f"{typer.style('$', bold=True)} {_shell(event.shell)}{_name(event.command_id)}"]


@describe.register
def _(event: events.CommandFinished) -> list[str]:
    return [_ended(event.outcome, event.exit_code, event.seconds)]


@describe.register
def _(event: events.FileUsed) -> list[str]:
    did = "" if event.ok else typer.style("refused: ", fg="red")
    return [did + inert_line(event.excerpt, SHELL_CHARACTERS)]


@describe.register
def _(event: events.SandboxOpening) -> list[str]:
    return [f"opening sandbox {event.generation}"]


@describe.register
def _(event: events.SandboxOpened) -> list[str]:
    how = {
        Opened.CREATED: "new",
        Opened.ATTACHED: "still there",
        Opened.RESTARTED: "restarted, what ran in it is lost",
    }
    setup = f", set-up {event.setup}" if event.setup != "none" else ""
    took = show.duration(event.seconds)
    return [f"sandbox {how[event.how]} ({inert_line(event.provider)}{setup}) in {took}"]


@describe.register
def _(event: events.SandboxClosed) -> list[str]:
    del event
    return ["sandbox closed"]


@describe.register
def _(event: events.ChecksFound) -> list[str]:
    found = ", ".join(check.name for check in event.checks) or "none"
    return [f"checks: {found} ({inert_line(event.source)})"]


@describe.register
def _(event: events.CheckStarted) -> list[str]:
    shell = f"{typer.style('$', bold=True)} {_shell(event.shell)}"
    return [f"check {inert_line(event.name)}: {shell}{_name(event.command_id)}"]


@describe.register
def _(event: events.CheckFinished) -> list[str]:
    word = ("passed" if event.passed else "failed") if event.runnable else "could not be run"
    verdict = _verdict(word, good=event.passed)
    ended = _ended(event.outcome, event.exit_code, event.seconds)
    return [f"check {inert_line(event.name)} {verdict}, {ended}{_found(event)}"]


@describe.register
def _(event: events.BaselineStarted) -> list[str]:
    return [f"checking what was there before, at {event.commit[:12]}"]


@describe.register
def _(event: events.BaselineReady) -> list[str]:
    how = "known already" if event.cached else f"found in {show.duration(event.seconds)}"
    checks = inert_line(", ".join(event.checks), 500) or "no checks"
    return [f"before the work ({how}): {checks}"]


@describe.register
def _(event: events.QuickChecked) -> list[str]:
    found = _verdict(show.findings(event.findings), good=not event.findings)
    took = show.duration(event.seconds)
    return [f"quick check of the edit: {found} in {took}", *_shown(event.shown)]


@describe.register
def _(event: events.FilesMended) -> list[str]:
    return [f"mended by the checks' own fixers: {inert_line(', '.join(event.files))}"]


@describe.register
def _(event: events.WorkJudged) -> list[str]:
    counted = show.judged(event.counts, event.tests, event.tests_at_base)
    good = not event.counts.blocking
    headline = f"work judged, round {event.round}: {_verdict(counted, good=good)}"
    unrunnable = [f"could not be run: {inert_line(name)}" for name in event.unrunnable]
    return [headline, *unrunnable, *_shown(event.shown)]


@describe.register
def _(event: events.TranscriptCompacted) -> list[str]:
    return [f"the transcript was summed up: {event.messages_before} → {event.messages} messages"]


@describe.register
def _(event: events.WorkExported) -> list[str]:
    return ["work taken out of the sandbox" + ("" if event.changed else ": nothing has changed")]


@describe.register
def _(event: events.PullRequestProposed) -> list[str]:
    return [_bold("proposed"), *show.pull_request(event.pull_request).splitlines()]


@describe.register
def _(event: events.WorkFailed) -> list[str]:
    failure = f" ({inert_line(event.failure)})" if event.failure else ""
    what = typer.style(f"{inert_line(event.activity)} failed{failure}", fg="red")
    code = known(event.failure)
    cure = [f"{_bold('try:')} {explain(code).cure}"] if code is not None else []
    return [what, inert_line(event.message, 500), *cure]


@describe.register
def _(event: events.SessionEnded) -> list[str]:
    did = "closed" if event.kind == "session.closed" else "broke"
    return [_bold(f"session {did}") + _because(event.reason)]


def _shown(findings: tuple[str, ...]) -> list[str]:
    return [inert_line(finding, 240) for finding in findings]


def _found(event: events.CheckFinished) -> str:
    if event.tests is not None and event.tests.ran:
        return f": {show.tests(event.tests.passed)} passed, {event.tests.failed} failed"
    return f": {show.findings(event.findings)}" if event.findings else ""


def _because(reason: str) -> str:
    return f": {inert_line(reason)}" if reason else ""


def _shell(text: str) -> str:
    return inert_line(text, SHELL_CHARACTERS)


def _name(command_id: str) -> str:
    return "  " + typer.style(f"[{inert_line(command_id)}]", dim=True)


def _ended(outcome: CommandOutcome, exit_code: int | None, seconds: float) -> str:
    took = show.duration(seconds)
    if outcome is CommandOutcome.EXITED:
        code = "unknown" if exit_code is None else str(exit_code)
        return f"{_verdict(f'exit {code}', good=exit_code == 0)} after {took}"
    return f"{_verdict(outcome.value.replace('_', ' '), good=False)} after {took}"


def _verdict(text: str, *, good: bool) -> str:
    return typer.style(text, fg="green" if good else "red")


def _bold(text: str) -> str:
    return typer.style(text, bold=True)
