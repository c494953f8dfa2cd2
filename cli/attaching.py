"""`overnight attach`: a session live, with what a person types going back to it."""

import base64
import json
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from cli import following, keyboard, questions, reaching, reviewing, show
from cli.client import Gateway
from cli.keyboard import Act, Typed
from cli.problems import CliProblem
from cli.reaching import Reach
from cli.requests import prompt_body
from cli.screen.aim import Aim
from cli.screen.input_line import InputLine
from cli.screen.live import LiveScreen, put_off, wish_text
from cli.screen.screen import MOST_BEHIND_BYTES, Screen, to_stdout
from cli.stream.items import Item, Output, PutOff, Reconnected, Waiting
from cli.stream.place import following_offset
from cli.stream.session import SessionStream
from cli.terminal import report, result, say
from cli.transport import waiting_for
from workflows.contract.asking import Asked, AskedKind
from workflows.contract.events import SessionEnded, SessionEvent, ViewChanged
from workflows.contract.problems import Code, ExitCode
from workflows.contract.session import PromptMode, SessionView
from workflows.contract.socket import Decide, Hello, OutputChoice, SendPrompt, Subscribe

RECENT_EVENTS = 50


class _Display(Protocol):
    """Shows items one after the other."""

    def show(self, item: Item) -> None:
        """Show the next item."""


class _JsonLines:
    """One JSON object per line: events and messages as the gateway sends them, output by frame."""

    def show(self, item: Item) -> None:
        """Write the next item."""
        match item:
            case Waiting():
                say(waiting_for(item.url))
            case PutOff():
                say(put_off(item))
            case Output():
                self._output(item)
            case Reconnected():
                result(_compact({"type": "reconnected", "events": item.events}))
            case _:
                result(item.model_dump_json())

    def _output(self, output: Output) -> None:
        offset = output.offset
        for frame in output.frames:
            fields = {
                "type": "output",
                "command_id": output.command_id,
                "offset": offset,
                "channel": frame.channel.name.lower(),
                "time_ns": frame.time_ns,
                "data_base64": base64.b64encode(frame.data).decode(),
            }
            result(_compact(fields))
            offset = following_offset(offset, len(frame.data))


def _compact(fields: dict[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


class _Attachment:
    """One person at one session."""

    def __init__(
        self,
        gateway: Gateway,
        session: str,
        stream: SessionStream,
        line: InputLine,
        aim: Aim | None,
        *,
        plain: bool,
    ) -> None:
        self._gateway = gateway
        self._session = session
        self._stream = stream
        self._line = line
        self._aim = aim
        """None when nobody knows what could be read when a line was begun."""

        self._plain = plain
        self._view: SessionView | None = None
        self._is_broken = False
        self._has_left = False

    def follow(self, display: _Display, feed: Callable[[bytes], Iterable[str | None]]) -> ExitCode:
        """Show the session until it is closed or the person leaves; `feed` takes what is typed."""
        keyboard.listen(feed, self)
        try:
            for item in self._stream.items():
                self._note(item)
                display.show(item)
        except KeyboardInterrupt:
            self._line.end()
            return self._left(ExitCode.CTRL_C)
        self._line.end()
        return self._left(ExitCode.OK) if self._has_left else self._closed()

    def _note(self, item: Item) -> None:
        match item:
            case Hello():
                self._view = item.session.view
            case SessionEvent(event=ViewChanged(view=view)):
                self._view = view
            case SessionEvent(event=SessionEnded(kind=kind)):
                self._is_broken = kind == "session.broken"
            case _:
                pass

    def act(self, typed: Typed) -> None:
        """Do what a line asks for.

        Raises:
            CliProblem: the gateway refuses, or the prompt is too long.
        """
        match typed.act:
            case Act.PROMPT:
                self._prompt_or_answer(typed)
            case Act.STOP:
                self._stop()
            case Act.CLOSE:
                self._gateway.close(self._session, "closed by the command line")
            case Act.DIFF:
                self._remark(*reviewing.beginning(self._gateway, self._session))
            case Act.HELP:
                self._remark(keyboard.HELP)

    def _stop(self) -> None:
        self._stream.interrupt("stopped by the command line")
        waiting = self._view.queued if self._view is not None else 0
        if waiting:
            self._remark(show.taken_up(waiting))

    def _remark(self, *lines: str) -> None:
        with self._line.aside():
            for line in lines:
                say(line, plain=self._plain)

    def _prompt_or_answer(self, typed: Typed) -> None:
        asked = self._view.asked if self._view is not None else None
        meant = self._meant(asked) if typed.mode is PromptMode.QUEUE else None
        if meant is not None:
            self._answer(meant, typed)
            return
        self._stream.prompt(prompt_body(typed.text, typed.mode))
        if asked is not None and typed.mode is PromptMode.QUEUE:
            self._remark("sent as a prompt: you began it before the session asked")

    def _meant(self, asked: Asked | None) -> Asked | None:
        """Return the open question that a line answers; none when the line is a prompt.

        Raises:
            CliProblem: another question was open when its typing began, or may have been.
        """
        if self._aim is None:
            if asked is None:
                return None
            ways = "; ".join(line.strip() for line in questions.commands(self._session, asked))
            why = "a line typed here could meet another question"
            raise _not_sent(why, ways)
        meant = self._aim.take()
        if meant is None or (asked is not None and asked.id == meant.id):
            return meant
        why = f"the session asks {'nothing' if asked is None else 'something else'} now"
        raise _not_sent(why, "read what it does, and type again")

    def _answer(self, asked: Asked, typed: Typed) -> None:
        decision = questions.decision(asked, typed.text)
        if asked.kind is AskedKind.COMMAND and decision.approved and questions.is_cut(asked):
            raise CliProblem(
                Code.COMMAND_CUT,
                "you have seen only the beginning of this command",
                f"see all of it and allow it with: overnight approve {self._session}",
            )
        self._stream.decide(decision)

    def refuse(self, problem: CliProblem) -> None:
        """Show what is wrong with a line."""
        with self._line.aside():
            report(problem, plain=self._plain)

    def leave(self) -> None:
        """Leave the session to itself."""
        self._has_left = True
        self._stream.close()

    def _left(self, code: ExitCode) -> ExitCode:
        say(f"\nsession {self._session} goes on")
        self._tell_unanswered()
        say(f"  come back with:  overnight attach {self._session}")
        say(f"  or stop it with: overnight stop {self._session}")
        return code

    def _tell_unanswered(self) -> None:
        for wish in self._stream.unanswered():
            if isinstance(wish, SendPrompt | Decide):
                say(f"  not known to have arrived: {wish_text(wish)}")

    def _closed(self) -> ExitCode:
        if self._view is None or self._is_broken:
            say(f"session {self._session} broke; its work is kept")
            self._tell_unanswered()
            return ExitCode.SESSION_FAILED
        say(f"session {self._session} is closed")
        following.tell_end(self._session, self._view)
        self._tell_unanswered()
        return following.exit_code(self._view)


def _not_sent(why: str, hint: str) -> CliProblem:
    return CliProblem(Code.QUESTION_OTHER, f"nothing was sent: {why}", hint)


def attach(reach: Reach, session: str, *, as_json: bool, plain: bool) -> ExitCode:
    """Show a session live until it is closed, sending on what is typed; `plain` without colours."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    # A program gets every byte.
    choice = OutputChoice(most_behind=None if as_json else MOST_BEHIND_BYTES)
    stream = gateway.stream(found, Subscribe(recent=RECENT_EVENTS, output=choice))
    aim = Aim() if sys.stdin.isatty() and sys.stdout.isatty() and not as_json else None
    line = InputLine(partial(to_stdout, plain=plain), aim.begin if aim else lambda: None)
    attachment = _Attachment(gateway, found, stream, line, aim, plain=plain)
    if as_json:
        return attachment.follow(_JsonLines(), keyboard.Lines().feed)
    # A terminal that edits lines by itself does not tell when one is begun.
    ways = questions.keys if aim else partial(questions.commands, found)
    display = LiveScreen(Screen(line.write, line.was_ended), line.aside, ways, aim)
    if aim is None:
        return attachment.follow(display, keyboard.Lines().feed)
    with keyboard.unechoed():
        return attachment.follow(display, line.feed)
