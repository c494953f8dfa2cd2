"""The measurements in one table: for each thing people ask about, its number and our target."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.tables import Table, markdown

TITLE = "All in one table"
NOTES = """\
Taken out of the tables below, which say how each was measured and on what; steps are those after 20
others. What has no target here has none yet, and a number above its target misses it."""


class Headline(NamedTuple):
    """One number of one table."""

    what: str
    measurement: str
    """For `make bench ONLY=`."""

    table: str
    row: tuple[str, ...]
    """How the row begins."""

    column: str
    target: str = ""


class Read(NamedTuple):
    """A table as it stands in the page."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


HEADLINES = (
    Headline(
        "a step, over mini-swe-agent's, ms",
        *("steps", "Step", ("20", "Overnight"), "over mini, ms"),
        target="75",
    ),
    Headline("a step, ÷ two empty activities", *("steps", "Step", ("20", "Overnight"), "÷ floor")),
    Headline("activities a step", "breakdown", "What a step costs", ("activities",), "", "2"),
    Headline(
        "stack ready, ms",
        *("starting", "Warm start", ("the whole stack (`stack.json` is written)",), "p50 ms"),
    ),
    Headline(
        "`overnight --help`, ms",
        *("starting", "The command line", ("`overnight --help`",), "p50 ms", "200"),
    ),
    Headline(
        "prompt accepted, p95 ms",
        *("prompts", "Prompts", ("follow-up: accepted",), "p95 ms", "100"),
    ),
    Headline(
        "memory of the stack, MiB", "memory", "Memory at rest", ("all of the stack",), "PSS MiB"
    ),
    Headline(
        "sandbox with its repository, ms",
        *("sandboxes", "Sandboxes", ("open: sandbox ready",), "p50 ms", "60"),
    ),
    Headline(
        "command in a sandbox, ms",
        *("sandboxes", "Sandboxes", ("command: `true` itself",), "p50 ms", "15"),
    ),
    Headline(
        "a printed line to its reader, p50 ms",
        *("stream", "Latency of output", ("1",), "lag p50 ms", "100"),
    ),
    Headline("the same, p95 ms", *("stream", "Latency of output", ("1",), "lag p95 ms", "150")),
    Headline(
        "1 GiB of output to one reader, MB/s",
        *("stream", "Throughput of output", ("as fast as it goes: 1 GiB to 1",), "MB/s"),
    ),
    Headline(
        "200 readers right after the gateway's death, ms",
        *("stream", "The gateway is killed", ("from the kill until all 200 are right",), "ms"),
    ),
    Headline(
        "20,000 failed tests read, s",
        *("findings", "20,000 findings: read and fingerprint", ("JUnit XML, every test fails",)),
        *("CPU seconds", "1"),
    ),
    Headline(
        "tokens of failing checks, raw ÷ ours",
        *("findings", "Tokens of failing checks", ("everything at once",), "raw ÷ ours"),
    ),
    Headline(
        "wrong work called green", "gate", "The gate's word and the truth", ("wrong",), "green", "0"
    ),
    Headline(
        "right work called green", "gate", "The gate's word and the truth", ("right",), "green"
    ),
    Headline("of sessions", "gate", "The gate's word and the truth", ("right",), "sessions"),
)


def table(page: str) -> Table:
    """Return the numbers of all tables that a text in Markdown holds."""
    found = read(page)
    rows = [
        (each.what, number, each.target, f"`make bench ONLY={each.measurement}`")
        for each in HEADLINES
        if (number := _number(each, found))
    ]
    return Table(TITLE, ("what", "measured", "at most", "repeat it by"), rows, NOTES)


def text(page: str) -> str:
    """Return the table as it is printed and written."""
    return markdown(table(page))


def read(page: str) -> Mapping[str, Read]:
    """Return the tables of a page by their titles."""
    found = {}
    for title, body in re.findall(r"^### (.+)\n\n((?:\|.*\n)+)", page, re.MULTILINE):
        header, _, *rows = [_cells(line) for line in body.splitlines()]
        found[title] = Read(header, rows)
    return found


def _number(wanted: Headline, found: Mapping[str, Read]) -> str:
    if wanted.table not in found:
        return ""
    header, rows = found[wanted.table]
    matching: Sequence[tuple[str, ...]] = [
        row for row in rows if row[: len(wanted.row)] == wanted.row
    ]
    return matching[0][header.index(wanted.column)] if matching else ""


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
