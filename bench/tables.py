"""Numbers and the tables they are shown in: milliseconds from seconds, percentiles, Markdown."""

from collections.abc import Sequence
from typing import NamedTuple

DIGITS_MATTER_BELOW = 100
RIGHT = frozenset("0123456789+-")


class Table(NamedTuple):
    """One table of a run."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: str = ""
    """What the numbers are and how they were taken."""

    failed: bool = False
    """They show what must never be; the program says so by its exit code."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the sorted values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return percentile(values, 0.5)


def ms(seconds: float) -> str:
    """Write seconds as milliseconds, with a decimal where it says something."""
    value = seconds * 1_000
    return f"{value:.1f}" if abs(value) < DIGITS_MATTER_BELOW else f"{value:.0f}"


def spread(values: Sequence[float]) -> tuple[str, str]:
    """Return median and 95th percentile of seconds, in milliseconds."""
    return ms(median(values)), ms(percentile(values, 0.95))


def markdown(table: Table) -> str:
    """Write a table as Markdown that also reads well as plain text."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
    right = [_is_number(table, column) for column in range(len(table.header))]
    rule = [
        "-" * (width - 1) + ":" if flush else "-" * width
        for width, flush in zip(widths, right, strict=True)
    ]
    body = [_line(table.header, widths, right), "| " + " | ".join(rule) + " |"]
    body += [_line(row, widths, right) for row in table.rows]
    notes = [table.notes, ""] if table.notes else []
    return "\n".join([f"### {table.title}", "", *body, "", *notes])


def _is_number(table: Table, column: int) -> bool:
    return all(not row[column] or row[column][0] in RIGHT for row in table.rows)


def _line(row: tuple[str, ...], widths: list[int], right: list[bool]) -> str:
    cells = [
        cell.rjust(width) if flush else cell.ljust(width)
        for cell, width, flush in zip(row, widths, right, strict=True)
    ]
    return "| " + " | ".join(cells) + " |"
