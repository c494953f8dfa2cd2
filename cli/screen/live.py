"""Shows a followed session as text: events, output beneath its command, the model as it writes."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from cli import questions, show
from cli.problems import CliProblem
from cli.screen import events
from cli.screen.aim import Aim
from cli.screen.inert import InertText
from cli.screen.screen import LINE_LIMIT_CHARACTERS, CommandOutput, Screen
from cli.stream.items import Item, Output, PutOff, Reconnected, Waiting
from cli.terminal import inert_line, report, say
from cli.transport import waiting_for
from workflows.contract.api import Problem
from workflows.contract.asking import Asked
from workflows.contract.events import SessionEvent, StepTaken, ViewChanged
from workflows.contract.explanations.table import known
from workflows.contract.judging import VerdictGiven
from workflows.contract.problems import Code
from workflows.contract.session import SessionView, TurnEnd
from workflows.contract.socket import (
    CaughtUp,
    Decide,
    Hello,
    Nack,
    OutputEnded,
    OutputSkipped,
    SendPrompt,
    Text,
    Trouble,
)


class LiveScreen:
    """Everything about one session on one screen."""

    def __init__(
        self,
        screen: Screen,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
        ways: Callable[[Asked], list[str]] = questions.keys,
        aim: Aim | None = None,
    ) -> None:
        self._screen = screen
        self._aside = aside
        """Within it, others may write lines to the same terminal."""

        self._ways = ways
        """How a question is answered."""

        self._aim = aim or Aim()
        self._output = CommandOutput(screen)
        self._reply = _Reply(screen)
        self._verdict: VerdictGiven | None = None
        self._last: TurnEnd | None = None
        self._has_view = False
        self._open: Asked | None = None
        self._shown_question = ""

    def show(self, item: Item) -> None:
        """Show the next item."""
        match item:
            case SessionEvent():
                self._event(item)
            case Output():
                self._output.show(item)
            case OutputSkipped():
                self._output.skipped(item)
            case OutputEnded():
                self._output.ended(item.command_id)
            case Text():
                self._reply.show(item)
            case _:
                self._remark(item)

    def _event(self, event: SessionEvent) -> None:
        if isinstance(event.event, StepTaken):
            self._reply.complete(event.event)
        if isinstance(event.event, ViewChanged):
            self._view(event.event.view)
        for line in events.lines(event):
            self._screen.line(line)

    def _view(self, view: SessionView) -> None:
        if view.verdict != self._verdict:
            self._verdict = view.verdict
            for line in show.verdict(view.verdict) if view.verdict else ():
                self._screen.line(line)
        self._end(view.last)
        self._open = view.asked
        if view.asked is None:
            # The same may be asked again.
            self._shown_question = ""
            self._aim.show(None)
        self._question()

    def _end(self, last: TurnEnd | None) -> None:
        """Tell that a turn has ended; the first of the past events may come long after that."""
        is_news = self._has_view or _is_later(last, self._last)
        if last is not None and last != self._last and is_news:
            for line in show.turn_end(last):
                self._screen.line(line)
        self._last, self._has_view = last, True

    def _question(self) -> None:
        """Show the open question, once."""
        asked = self._open
        if asked is None or asked.id == self._shown_question:
            return
        self._shown_question = asked.id
        for line in (*questions.lines(asked), *self._ways(asked)):
            self._screen.line(line)
        # Only what can be read is answered.
        self._aim.show(asked)

    def _remark(self, item: Item) -> None:
        match item:
            case Hello():
                view = item.session.view
                self._verdict, self._open = view.verdict, view.asked
                self._last = self._last if self._has_view else view.last
            case CaughtUp():
                self._question()
            case Trouble(text=text) if text:
                self._screen.line(inert_line(text, 500))
            case Waiting():
                self._say(waiting_for(item.url))
            case Reconnected():
                missed = f"; {item.events} events happened meanwhile" if item.events else ""
                self._say(f"the gateway is back{missed}")
            case PutOff():
                self._say(put_off(item))
            case Nack():
                self._refused_wish(item.problem)
            case _:
                pass

    def _say(self, text: str) -> None:
        self._screen.finish_line()
        with self._aside():
            say(text)

    def _refused_wish(self, problem: Problem) -> None:
        self._screen.finish_line()
        with self._aside():
            code = known(problem.code) or Code.ANSWER_NOT_UNDERSTOOD
            report(CliProblem(code, f"{problem.title}: {problem.detail}", problem.hint))


def _is_later(last: TurnEnd | None, known: TurnEnd | None) -> bool:
    return last is not None and (known is None or last.turn > known.turn)


def put_off(prompt: PutOff) -> str:
    """Return what is said once of a prompt that cannot be taken now."""
    return (
        f"not taken yet: {wish_text(prompt.wish)}\n"
        f"  {inert_line(prompt.problem.title)}; it is sent again until it is"
    )


def wish_text(wish: SendPrompt | Decide) -> str:
    """Return what a person typed, as one line."""
    if isinstance(wish, SendPrompt):
        return inert_line(wish.prompt.text)
    return inert_line(wish.decision.text) or ("yes" if wish.decision.approved else "no")


class _Reply:
    """The model's reply as far as it is shown."""

    _PREFIX = "  "

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._attempt: tuple[int, int, int] | None = None
        self._shown_bytes = 0
        self._inert = InertText(LINE_LIMIT_CHARACTERS)

    def show(self, text: Text) -> None:
        """Go on with the reply; a new attempt begins anew."""
        attempt = (text.turn, text.step, text.epoch)
        if attempt != self._attempt:
            self._begin(attempt)
        data = text.text.encode()
        if text.start > self._shown_bytes:
            self._write("…")
            self._shown_bytes = text.start
        fresh = data[self._shown_bytes - text.start :]
        self._shown_bytes += len(fresh)
        self._write(fresh.decode(errors="ignore"))

    def complete(self, step: StepTaken) -> None:
        """Show what is left of a reply that is whole now."""
        if self._attempt is None or self._attempt[:2] != (step.turn, step.step):
            self._begin((step.turn, step.step, 0))
        rest = step.text.encode()[self._shown_bytes :]
        self._write(rest.decode(errors="ignore"))
        self._screen.finish_line()

    def _begin(self, attempt: tuple[int, int, int]) -> None:
        self._screen.finish_line()
        self._attempt = attempt
        self._shown_bytes = 0
        self._inert = InertText(LINE_LIMIT_CHARACTERS)

    def _write(self, text: str) -> None:
        self._screen.text(self._attempt, self._PREFIX, self._inert.feed(text))
