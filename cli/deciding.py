"""What `answer`, `approve` and `reject` do: each shows what is asked and answers exactly that."""

import sys

import typer

from cli import questions, reaching
from cli.client import Gateway
from cli.problems import CliProblem, Code, ExitCode
from cli.reaching import Reach
from cli.requests import prompt_text
from cli.terminal import Output, acknowledge, say
from workflows.contract.api import Decision, OpenQuestion
from workflows.contract.asking import AskedKind


def answer(reach: Reach, session: str, text: str, question: str | None, output: Output) -> None:
    """Answer the model's question."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    asked = _asked(gateway, found, question).asked
    if asked.kind is not AskedKind.QUESTION:
        raise CliProblem(
            Code.QUESTION_OTHER,
            f"session {found} asks for an approval, not for an answer",
            f"overnight approve {found}, or: overnight reject {found}",
            exit_code=ExitCode.CONFLICT,
        )
    _decide(gateway, found, questions.decision(asked, prompt_text(text)), output)


def approve(
    reach: Reach, session: str, *, sure: bool, question: str | None, output: Output
) -> ExitCode:
    """Show what is asked, and allow it once the person is sure."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    opened = _asked(gateway, found, question)
    asked = opened.asked
    if asked.kind is AskedKind.QUESTION:
        raise CliProblem(
            Code.QUESTION_OTHER,
            f"session {found} asks for an answer, not for an approval",
            f'overnight answer {found} "…"',
            exit_code=ExitCode.CONFLICT,
        )
    if questions.is_cut(asked) and not opened.whole:
        raise CliProblem(
            Code.QUESTION_OTHER,
            "the whole command cannot be read any more, so nobody can know what is allowed",
            f'refuse it: overnight reject {found} "make the command shorter"',
        )
    if not sure and not _is_sure():
        say("nothing was decided")
        return ExitCode.STOPPED
    _decide(gateway, found, Decision(question=asked.id, approved=True), output)
    return ExitCode.OK


def reject(reach: Reach, session: str, reason: str, question: str | None, output: Output) -> None:
    """Show what is asked, and refuse it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    asked = _asked(gateway, found, question).asked
    _decide(gateway, found, questions.rejection(asked, reason), output)


def _asked(gateway: Gateway, session: str, question: str | None) -> OpenQuestion:
    """Show what the session asks, whole, and return it."""
    if gateway.session(session).view.asked is None:
        raise CliProblem(
            Code.NOTHING_ASKED,
            f"session {session} asks nothing",
            f"see what it does: overnight show {session}",
            exit_code=ExitCode.CONFLICT,
        )
    found = gateway.question(session)
    for line in questions.lines(found.asked, found.whole):
        say(line)
    if question is not None and question != found.asked.id:
        raise CliProblem(
            Code.QUESTION_OTHER,
            f"session {session} asks {found.asked.id!r}, not {question!r}",
            "look at what it asks now",
            exit_code=ExitCode.CONFLICT,
        )
    return found


def _is_sure() -> bool:
    if not sys.stdin.isatty():
        raise CliProblem(
            Code.NOT_CONFIRMED,
            "without a terminal nobody can say yes",
            "add --yes, and --question ID to allow nothing else than what you have looked at",
            exit_code=ExitCode.USAGE,
        )
    return typer.confirm("allow it?", default=False, err=True)


def _decide(gateway: Gateway, session: str, decision: Decision, output: Output) -> None:
    taken = gateway.decide(session, decision)
    did = "allowed" if decision.approved else "refused"
    if decision.approved and decision.text:
        did = "answered"
    watch = f"{did}; watch it with: overnight watch {session}"
    acknowledge(taken, taken.question, watch, output)
