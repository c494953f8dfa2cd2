"""What `answer`, `approve` and `reject` do: each shows what is asked and answers exactly that."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

import typer

from cli import questions, reaching, reviewing, show
from cli.client import Gateway
from cli.problems import CliProblem
from cli.reaching import Reach
from cli.requests import prompt_text
from cli.terminal import Output, acknowledge, inert_line, say
from workflows.contract.api import Decision, OpenQuestion
from workflows.contract.asking import AskedKind
from workflows.contract.problems import Code, ExitCode


class Chosen(NamedTuple):
    """Which question is decided, and how much of it is shown."""

    question: str | None
    """Its id; whatever is asked when there is none."""

    with_diff: bool = True


def answer(reach: Reach, session: str, text: str, question: str | None, output: Output) -> None:
    """Answer the model's question."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    opened = _opened(gateway, found, question)
    _show(opened)
    if opened.asked.kind is not AskedKind.QUESTION:
        raise CliProblem(
            Code.QUESTION_OTHER,
            f"session {found} asks for an approval, not for an answer",
            f"overnight approve {found}, or: overnight reject {found}",
        )
    said = prompt_text(text, "answer")
    _decide(gateway, found, questions.decision(opened.asked, said), output)


def approve(reach: Reach, session: str, chosen: Chosen, *, sure: bool, output: Output) -> ExitCode:
    """Show what is asked, and allow it once the person is sure."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    opened = _opened(gateway, found, chosen.question)
    asked = opened.asked
    if asked.kind is AskedKind.QUESTION:
        _show(opened)
        raise CliProblem(
            Code.QUESTION_OTHER,
            f"session {found} asks for an answer, not for an approval",
            f'overnight answer {found} "…"',
        )
    _show_all(gateway, found, opened, with_diff=chosen.with_diff)
    if questions.is_cut(asked) and not opened.whole:
        raise CliProblem(
            Code.COMMAND_CUT,
            "the whole command cannot be read any more, so nobody can know what is allowed",
            f'refuse it: overnight reject {found} "make the command shorter"',
        )
    if not sure and not _is_sure():
        say("nothing was decided")
        return ExitCode.STOPPED
    _decide(gateway, found, Decision(question=asked.id, approved=True), output)
    return ExitCode.OK


def reject(reach: Reach, session: str, chosen: Chosen, reason: str, output: Output) -> None:
    """Show what is asked, and refuse it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    opened = _opened(gateway, found, chosen.question)
    _show_all(gateway, found, opened, with_diff=chosen.with_diff)
    _decide(gateway, found, questions.rejection(opened.asked, reason), output)


def _opened(gateway: Gateway, session: str, question: str | None) -> OpenQuestion:
    """Return what the session asks, whole; refuse it when it is not the question that is meant."""
    if gateway.session(session).view.asked is None:
        raise CliProblem(
            Code.NOTHING_ASKED,
            f"session {session} asks nothing",
            session=session,
        )
    found = gateway.question(session)
    if question not in (None, found.asked.id):
        _show(found)
        raise CliProblem(
            Code.QUESTION_OTHER,
            f"session {session} asks {found.asked.id!r}, not {question!r}",
            session=session,
        )
    return found


def _show_all(gateway: Gateway, session: str, opened: OpenQuestion, *, with_diff: bool) -> None:
    """Show a question beneath what it is about."""
    if opened.asked.kind in questions.ABOUT_FILES:
        given = gateway.session(session).view.verdict
        _say([*show.verdict(given), ""] if given is not None else [])
        _say([*reviewing.of_question(gateway, session, opened), ""] if with_diff else [])
    _show(opened)


def _show(opened: OpenQuestion) -> None:
    _say(questions.lines(opened.asked, opened.whole))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _is_sure() -> bool:
    if not sys.stdin.isatty():
        raise CliProblem(
            Code.NOT_CONFIRMED,
            "without a terminal nobody can say yes",
        )
    try:
        return typer.confirm("allow it?", default=False, err=True)
    except typer.Abort as abort:
        say("")
        # Typer makes one of both: the end of the input means no, Ctrl-C means nothing.
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise typer.Exit(ExitCode.CTRL_C) from abort
        return False


def _decide(gateway: Gateway, session: str, decision: Decision, output: Output) -> None:
    taken = gateway.decide(session, decision)
    did = "allowed" if decision.approved else "refused"
    if decision.approved and decision.text:
        did = f'answered: "{inert_line(decision.text)}"'
    watch = f"{did}; watch it with: overnight watch {session}"
    acknowledge(taken, taken.question, watch, output)
