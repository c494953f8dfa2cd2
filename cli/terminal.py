"""What reaches the person: results on stdout, everything else on stderr.

Colours follow the terminal and NO_COLOR. Text that a model or a repository wrote passes through
`inert` first, so that it cannot drive the terminal.
"""

import json
import sys
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from cli.problems import CliProblem
from workflows.contract.explanations.table import explain

if TYPE_CHECKING:
    # `--help` must not wait for it.
    from pydantic import BaseModel


class Output(StrEnum):
    """The form of a result."""

    TABLE = "table"
    JSON = "json"
    ID = "id"


def say(text: str, *, plain: bool = False) -> None:
    """Write progress or a remark to stderr; `plain` leaves colours out whatever it is."""
    typer.echo(text, err=True, color=False if plain else None)


def result(text: str) -> None:
    """Write a result to stdout."""
    typer.echo(text)


def acknowledge(answer: "BaseModel", answer_id: str, text: str, output: Output) -> None:
    """Write what became of a request, in the form that is wished for."""
    forms = {Output.JSON: answer.model_dump_json, Output.ID: lambda: answer_id}
    result(forms.get(output, lambda: text)())


def result_bytes(content: bytes) -> None:
    """Write bytes to stdout as they are; inert when stdout is a terminal."""
    if sys.stdout.isatty():
        result(inert(content.decode(errors="replace")))
        return
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def report(problem: CliProblem, *, plain: bool = False, whole: bool = False) -> None:
    """Write an expected error and its cure to stderr; `whole` adds when it happens."""
    mark = typer.style(f"error[{problem.code}]:", fg="red", bold=True)
    say(f"{mark} {inert(problem.detail)}", plain=plain)
    if whole:
        say(f"  {typer.style('why:', bold=True)} {explain(problem.code).cause}", plain=plain)
    say(f"  {typer.style('try:', bold=True)} {inert(problem.hint)}", plain=plain)


def say_as_json(problem: CliProblem) -> None:
    """Write an expected error to stderr as one line, for programs."""
    row = explain(problem.code)
    fields = {
        "code": problem.code,
        "title": row.title,
        "detail": problem.detail,
        "cause": row.cause,
        "hint": problem.hint,
        "exit_code": problem.exit_code,
    }
    say(json.dumps(fields))


def inert(text: str) -> str:
    """Return the text without control and direction characters, but with its lines and tabs."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C"
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def inert_line(text: str, limit: int = 200) -> str:
    """Return the text as one inert line of at most `limit` characters."""
    line = inert(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Align rows of plain text under their headings."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join([typer.style(lines[0], bold=True), *lines[1:]])
