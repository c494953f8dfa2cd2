"""What reaches the person: results on stdout, everything else on stderr.

Colours follow the terminal and NO_COLOR. Text that a model or a repository wrote passes through
`inert` first, so that it cannot drive the terminal.
"""

import json
import shutil
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


GAP = "  "
"""Between the columns of a table."""


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


def width() -> int | None:
    """Return how many columns a terminal on stdout has; none when it is another thing."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    head: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    within: int | None = None,
    flexible: int = 0,
) -> str:
    """Align rows of plain text under their headings.

    With more columns than `within`, the cells of the last `flexible` columns of the table are cut.
    """
    if within is not None:
        rows = _cut(head, rows, within, flexible)
    widths = _widths(head, rows)
    lines = [
        GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join([typer.style(lines[0], bold=True), *lines[1:]])


def _widths(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]


def _cut(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], within: int, flexible: int
) -> list[tuple[str, ...]]:
    """Share what the other columns leave among the last ones, which keep their headings."""
    widths = _widths(head, rows)
    fixed = len(head) - flexible
    left = within - sum(widths[:fixed]) - len(GAP) * (len(head) - 1)
    for column in range(fixed, len(head)):
        share = left // (len(head) - column)
        widths[column] = max(min(widths[column], share), len(head[column]))
        left -= widths[column]
    return [
        tuple(inert_line(cell, width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
