"""A session's question to a person: how it is shown, and what a typed answer means. Pure."""

import typer

from cli.problems import CliProblem
from cli.terminal import inert, inert_line
from workflows.contract.api import Decision
from workflows.contract.asking import ANSWER_CHARACTERS, Asked, AskedKind
from workflows.contract.problems import Code

ABOUT_FILES = (AskedKind.PULL_REQUEST, AskedKind.VERDICT)
"""Kinds of questions whose subject is a tree of files."""

TEXT_CHARACTERS = 600
SUBJECT_CHARACTERS = 500
"""The view has no more of a question or a command; `overnight show` and `approve` have it all."""

_HEADINGS = {
    AskedKind.QUESTION: "the model asks",
    AskedKind.COMMAND: "may this command be run?",
    AskedKind.PULL_REQUEST: "may this be proposed?",
    AskedKind.BUDGET: "the budget is used up: may it use as much again?",
    AskedKind.VERDICT: "the checks stay red: propose it all the same?",
}


def lines(asked: Asked, whole: str = "") -> list[str]:
    """Return exactly what is asked; `whole` is all of the command or question that it begins."""
    text = whole if whole and asked.kind is AskedKind.QUESTION else asked.text
    # What the others are about is told in words, or shown as a diff.
    subject = whole or asked.subject if asked.kind is AskedKind.COMMAND else ""
    more = ["… and more"] if is_cut(asked) and not whole else []
    heading = typer.style(f"? {_HEADINGS[asked.kind]}", fg="yellow", bold=True)
    return [
        f"{heading}  {typer.style(f'[{asked.id}]', dim=True)}",
        *(f"  {line}" for line in inert(text).splitlines()),
        *(f"  {typer.style('│', dim=True)} {line}" for line in inert(subject).splitlines()),
        *(f"  {typer.style(line, dim=True)}" for line in more),
        *(f"  {number}) {inert_line(option)}" for number, option in enumerate(asked.options, 1)),
    ]


def commands(session: str, asked: Asked) -> list[str]:
    """Return how it is answered from a shell."""
    if asked.kind is AskedKind.QUESTION:
        return [f'  answer it with: overnight answer {session} "…"']
    seen = [f"  see the files:  overnight diff {session}"] if asked.kind in ABOUT_FILES else []
    found = [f"  see findings:   overnight checks {session}"]
    return [
        *seen,
        *(found if asked.kind is AskedKind.VERDICT else []),
        f"  allow it with:  overnight approve {session}",
        f'  refuse it with: overnight reject {session} "why"',
    ]


def keys(asked: Asked) -> list[str]:
    """Return how it is answered by typing beneath it."""
    if asked.kind is AskedKind.QUESTION:
        number = " or its number" if asked.options else ""
        return [f"  type the answer{number}, then Enter"]
    seen = "; /diff shows the files" if asked.kind in ABOUT_FILES else ""
    return [f"  type y, or n and why, then Enter{seen}"]


def is_cut(asked: Asked) -> bool:
    """Tell whether it may show only the beginning of a question or a command."""
    if asked.kind is AskedKind.QUESTION:
        return len(asked.text) >= TEXT_CHARACTERS
    return asked.kind is AskedKind.COMMAND and len(asked.subject) >= SUBJECT_CHARACTERS


def decision(asked: Asked, line: str) -> Decision:
    """Return what a typed line decides: an answer, or `y`, or `n` and why.

    Raises:
        CliProblem: it is neither, or it is too long.
    """
    if asked.kind is AskedKind.QUESTION:
        return _decided(asked, _chosen(asked, line.strip()), approved=True)
    word, _, rest = line.strip().partition(" ")
    match word.rstrip(",.:;").lower():
        case "y" | "yes" if not rest:
            return _decided(asked, "", approved=True)
        case "n" | "no":
            return _decided(asked, rest.strip(), approved=False)
        case _:
            raise CliProblem(
                Code.INPUT_UNKNOWN,
                f"{inert_line(line)!r} is neither y nor n",
                "y, or n and why; /steer TEXT and /interrupt TEXT are prompts",
            )


def rejection(asked: Asked, reason: str) -> Decision:
    """Return the refusal of what is asked.

    Raises:
        CliProblem: the reason is too long.
    """
    return _decided(asked, reason.strip(), approved=False)


def _chosen(asked: Asked, line: str) -> str:
    """Return the answer of this number, else the line itself."""
    options = asked.options
    if not options or not (line.isascii() and line.isdecimal()):
        return line
    if line in [str(number) for number in range(1, len(options) + 1)]:
        return options[int(line) - 1]
    if line not in options:
        numbered = "  ".join(f"{number}) {each}" for number, each in enumerate(options, 1))
        raise CliProblem(
            Code.REQUEST_INVALID,
            f"there is no answer {line[:20]}: {numbered}",
            "choose one of these numbers, or say in words what the number is of",
        )
    return line


def _decided(asked: Asked, text: str, *, approved: bool) -> Decision:
    if len(text) > ANSWER_CHARACTERS:
        raise CliProblem(
            Code.REQUEST_INVALID,
            f"the answer has {len(text)} characters, {ANSWER_CHARACTERS} are possible",
            'a prompt may be longer, and answers too: overnight prompt SESSION --mode steer "…"',
        )
    return Decision(question=asked.id, approved=approved, text=text)
