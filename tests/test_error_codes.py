"""The table of codes is whole: what is raised stands in it, and what stands in it is raised."""

import re
from pathlib import Path

import pytest

from workflows.contract.explanations.table import TABLE
from workflows.contract.failures import Failure
from workflows.contract.problems import Code, ExitCode, Source
from workflows.contract.session import StopReason

ROOT = Path(__file__).parents[1]
ROOMS = {
    Source.GATEWAY: ("gateway", r"Code\.{}\b"),
    Source.COMMAND_LINE: ("cli", r"Code\.{}\b"),
    Source.SESSION: ("activities workflows", r"(?:Failure|StopReason)\.{}\b"),
}


def source_of(rooms: str) -> str:
    """Return all that the rooms hold but the table itself."""
    paths = [path for room in rooms.split() for path in (ROOT / room).rglob("*.py")]
    return "\n".join(path.read_text() for path in paths if "contract" not in path.parts)


SOURCES = {source: source_of(rooms) for source, (rooms, _) in ROOMS.items()}


def test_every_code_has_one_row():
    """And no row is without a code."""
    assert set(TABLE) == set(Code)


@pytest.mark.parametrize(
    ("code", "source"),
    [
        pytest.param(code, source, id=f"{code}-{source}")
        for code, row in TABLE.items()
        for source in row.sources
    ],
)
def test_every_code_is_raised_where_its_row_says(code: Code, source: Source):
    """A code that nothing raises any more is to be removed, and a row names each place."""
    _, use = ROOMS[source]
    assert re.search(use.format(code.name), SOURCES[source])


@pytest.mark.parametrize("source", [Source.GATEWAY, Source.COMMAND_LINE])
def test_what_a_room_raises_is_said_to_be_met_there(source: Source):
    """Of the errors that a room makes itself; the sorting of foreign answers is none."""
    raised = re.findall(r"(?:Problem|ProblemError)\(\s*Code\.(\w+)", SOURCES[source])
    assert raised
    assert [name for name in raised if source not in TABLE[Code[name]].sources] == []


@pytest.mark.parametrize("value", [*Failure, *sorted(set(StopReason) - {StopReason.FINISHED})])
def test_every_failure_and_every_end_has_a_row(value: str):
    """Under the same name; a turn that finished is no error."""
    assert Source.SESSION in TABLE[Code(value)].sources


@pytest.mark.parametrize("code", list(Code))
def test_every_row_says_what_when_and_what_to_do(code: Code):
    """A title on one line, a cause in sentences, a cure; commands name nothing but the session."""
    row = TABLE[code]
    assert re.fullmatch(r"[A-Z][^\n.]*", row.title)
    assert re.fullmatch(r"[A-Z`][^\n]*\.", row.cause)
    assert row.cure.strip(" .\n") == row.cure
    assert set(re.findall(r"\{(\w+)\}", row.typed)) <= {"session"}


@pytest.mark.parametrize("code", list(Code))
def test_numbers_fit_the_source(code: Code):
    """The gateway answers with a status of an error and nobody else does; no error exits with 0."""
    row = TABLE[code]
    assert (row.status is not None) == (Source.GATEWAY in row.sources)
    assert row.status is None or 400 <= row.status < 600
    assert row.exit_code is not ExitCode.OK
    assert bool(row.retry_seconds) <= (row.status in (429, 503))
