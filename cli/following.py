"""Follows a turn of a session to its end, and says what it came to."""

import sys
import time
from typing import NamedTuple

from cli import questions, show
from cli.client import Gateway
from cli.problems import CliProblem
from cli.screen.screen import MOST_BEHIND_BYTES, CommandOutput, Screen, to_stderr
from cli.stream.items import Item, Output, Reconnected, Waiting
from cli.terminal import Output as Form
from cli.terminal import inert_line, result, say
from cli.transport import waiting_for
from cli.turns import Followed
from workflows.contract.api import SessionResource
from workflows.contract.asking import Asked
from workflows.contract.events import CheckFinished, CommandFinished, SessionEvent, ViewChanged
from workflows.contract.explanations.table import explain, known
from workflows.contract.judging import Verdict, VerdictGiven
from workflows.contract.problems import ExitCode
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import Phase, SessionView, StopReason
from workflows.contract.socket import (
    CaughtUp,
    Hello,
    OutputChoice,
    OutputEnded,
    OutputSkipped,
    Subscribe,
    Trouble,
)


def turn(
    gateway: Gateway,
    session: str,
    followed: Followed,
    *,
    output: Form,
    is_new: bool = False,
    no_wait: bool = False,
) -> ExitCode:
    """Show the session's progress until this turn has ended, and return what it came to.

    A new session is shown from its first event, another one from now on. Ctrl-C leaves the session
    working and says how to come back. When the session asks something, that is waited for in a
    terminal, unless with `no_wait`, and ends the following elsewhere.
    """
    # With a result for programs, only the progress is shown.
    shown = OutputChoice(most_behind=MOST_BEHIND_BYTES)
    choice = shown if output is Form.TABLE else OutputChoice(mode="none")
    wanted = Subscribe(recent=None if is_new else 0, output=choice)
    progress = _Progress(session, with_commands=choice.mode != "none")
    waits = sys.stderr.isatty() and not no_wait
    stay = _Stay(gateway, session, followed, waits)
    try:
        ended = _await_end(stay, wanted, progress)
        if followed.is_dropped:
            say("no turn takes this prompt up: it was taken back or refused")
            say(f"  see what the session does: overnight show {session}")
            return ExitCode.STOPPED
        return _conclude(gateway, ended, seconds=progress.seconds(), output=output)
    except KeyboardInterrupt:
        say(f"\nsession {session} goes on")
        say(f"  watch it again with: overnight watch {session}")
        say(f"  or stop it with:     overnight stop {session}")
        return ExitCode.CTRL_C


def exit_code(view: SessionView) -> ExitCode:
    """Return what the last turn of a session came to."""
    if view.last is None:
        return ExitCode.STOPPED
    code = known(view.last.reason)
    if code is not None:
        return explain(code).exit_code or ExitCode.ERROR
    return ExitCode.CHECKS_FAILED if _is_red(view) else ExitCode.OK


def tell_end(session: str, view: SessionView) -> None:
    """Say how the last turn of a session ended."""
    if view.last is None:
        say(f"session {session} was closed before its first turn ended")
    else:
        say(show.end(session, view.last, is_closed=view.phase is Phase.CLOSED))


def _is_red(view: SessionView) -> bool:
    if view.verdict is not None:
        return view.verdict.verdict is Verdict.RED
    # What was proposed before there were verdicts.
    return view.pull_request is not None and view.pull_request.passed is False


class _Progress:
    """What is shown on stderr while a turn is followed."""

    def __init__(self, session: str, *, with_commands: bool) -> None:
        self._session = session
        self._with_commands = with_commands
        self._started = time.monotonic()
        self._screen = Screen(to_stderr)
        self._output = CommandOutput(self._screen)
        self._line = self._refused = self._trouble = ""
        self._asked: str | None = None
        self._verdict: VerdictGiven | None = None

    def seconds(self) -> float:
        """Return for how long there has been something to show."""
        return time.monotonic() - self._started

    def view(self, view: SessionView) -> None:
        """Show what changed."""
        line = show.progress(view)
        if line != self._line:
            self._line = line
            self._screen.line(f"{self.seconds():6.1f}s {line}")
        if view.refused != self._refused:
            self._refused = view.refused
            if view.refused:
                self._screen.line(f"        refused: {inert_line(view.refused)}")
        if view.verdict != self._verdict:
            self._verdict = view.verdict
            self._block(show.verdict(view.verdict) if view.verdict else [])
        self._ask(view.asked)

    def _ask(self, asked: Asked | None) -> None:
        if asked is not None and asked.id != self._asked:
            self._block([*questions.lines(asked), *questions.commands(self._session, asked)])
        self._asked = asked.id if asked else None

    def _block(self, lines: list[str]) -> None:
        for line in lines:
            self._screen.line(f"        {line}")

    def item(self, item: Item) -> None:
        """Show an item that is no view."""
        match item:
            case Trouble():
                self._tell_trouble(item.text)
            case Hello():
                self._tell_trouble(item.session.trouble)
            case Waiting():
                self._screen.line(waiting_for(item.url))
            case _:
                if self._with_commands:
                    self._command(item)

    def _command(self, item: Item) -> None:
        match item:
            case Output():
                self._output.show(item)
            case OutputSkipped():
                self._output.skipped(item)
            case OutputEnded():
                self._output.ended(item.command_id)
            case SessionEvent(event=CommandFinished() | CheckFinished() as event):
                self._output.failed(event.outcome, event.exit_code)
            case _:
                pass

    def _tell_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                self._screen.line(f"        {inert_line(trouble, 500)}")


class _Stay(NamedTuple):
    """For what a session is followed."""

    gateway: Gateway
    session: str
    followed: Followed
    waits: bool
    """Whether there is a person who may answer what the session asks."""

    def is_over(self, view: SessionView) -> bool:
        """Tell whether the turn has ended, or stays with a person who is not here."""
        if self.followed.has_ended(view):
            return True
        if self.waits or view.asked is None:
            return False
        # What is told may be past: somebody may have answered meanwhile.
        now = self.gateway.session(self.session).view.asked
        return now is not None and now.id == view.asked.id


def _await_end(stay: _Stay, wanted: Subscribe, progress: _Progress) -> SessionResource:
    """Return the session as it was when there was nothing more to stay for."""
    gateway, session, followed, _ = stay
    is_from_now = wanted.recent is not None
    for item in gateway.stream(session, wanted).items():
        progress.item(item)
        followed.note(item)
        view = _view_of(gateway, session, item) if is_from_now else _changed(item)
        if view is None:
            continue
        progress.view(view)
        if stay.is_over(view):
            return gateway.session(session).model_copy(update={"view": view})
    return gateway.session(session)


def _view_of(gateway: Gateway, session: str, item: Item) -> SessionView | None:
    """Return the view that an item tells of.

    The view at the greeting may be older than the events that are skipped then, so once they are
    behind, it is looked at again.
    """
    match item:
        case Hello():
            return item.session.view
        case CaughtUp() | Reconnected():
            return gateway.session(session).view
        case _:
            return _changed(item)


def _changed(item: Item) -> SessionView | None:
    match item:
        case SessionEvent(event=ViewChanged(view=view)):
            return view
        case _:
            return None


def _conclude(
    gateway: Gateway, session: SessionResource, *, seconds: float, output: Form
) -> ExitCode:
    view = session.view
    proposal = _proposal(gateway, session)
    if output is Form.JSON:
        shown = proposal.model_dump_json() if proposal else "null"
        result(f'{{"session":{session.model_dump_json()},"pull_request":{shown}}}')
    elif output is Form.ID:
        result(session.id)
    else:
        if proposal:
            result(show.pull_request(proposal))
        result(show.costs(view, seconds))
    unpriced = show.unpriced(session)
    if unpriced:
        say(f"warning: {unpriced}")
    if view.asked is not None:
        return ExitCode.NEEDS_ANSWER
    if view.last is None or view.last.reason is not StopReason.FINISHED or proposal is None:
        tell_end(session.id, view)
        if view.last is not None and proposal is None:
            say("  it proposed nothing")
    return exit_code(view)


def _proposal(gateway: Gateway, session: SessionResource) -> PullRequest | None:
    if session.view.pull_request is None:
        return None
    try:
        return gateway.pull_request(session.id)
    except CliProblem as problem:
        if problem.exit_code is ExitCode.NOT_FOUND:
            return None
        raise
