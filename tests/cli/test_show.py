"""Text for people."""

import pytest
from click import unstyle

from cli import show
from cli.terminal import inert, inert_line, table
from workflows.contract.explanations.table import TABLE
from workflows.contract.model import Usage
from workflows.contract.problems import Code
from workflows.contract.session import StopReason, TurnEnd


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (4.24, "4.2s"),
        (59.94, "59.9s"),
        (60, "1m00s"),
        (187, "3m07s"),
        (3_600, "1h00m"),
        (18_720, "5h12m"),
        (183_600, "2d03h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, text: str):
    """Durations keep two units, so that they stay short and comparable."""
    assert show.duration(seconds) == text


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (Usage(cost_usd=0.01234), "$0.0123"),
        (Usage(cost_usd=12.345), "$12.35"),
        (Usage(input_tokens=1_200, output_tokens=34), "1,234 tokens"),
    ],
)
def test_usage_is_told_in_money_or_in_tokens(usage: Usage, text: str):
    """Tokens stand in where the price is unknown."""
    assert show.used(usage) == text


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\r", "\x07", "\u202e", "\u200b", "\ud800"])
def test_what_could_drive_a_terminal_is_replaced(character: str):
    """Control characters, direction overrides and lone surrogates do not reach the terminal."""
    assert inert(f"a{character}b\n\tc") == "a\N{REPLACEMENT CHARACTER}b\n\tc"


def test_a_line_stays_one_line_and_short():
    """Line ends become spaces, and what is too long is cut."""
    assert inert_line("a\n b", 10) == "a b"
    assert inert_line("x" * 20, 10) == "x" * 9 + "…"


def test_a_table_aligns_its_columns():
    """Columns are as wide as their widest cell."""
    lines = table(("A", "B"), [("long cell", "1"), ("x", "2")]).splitlines()
    assert [line.index(mark) for line, mark in zip(lines[1:], "12", strict=True)] == [11, 11]


@pytest.mark.parametrize("reason", list(StopReason))
def test_every_end_of_a_turn_is_told_with_what_to_do(reason: StopReason):
    """In the table's words; a turn that finished needs no advice."""
    told = unstyle(show.end("s-1", TurnEnd(turn=1, reason=reason)))
    assert told.startswith(f"session s-1: {show.ended(reason)}")
    assert ("try:" in told) == (reason is not StopReason.FINISHED)
    assert "{session}" not in told


@pytest.mark.parametrize("code", [Code.MODEL_FATAL, Code.SETUP_FAILED])
def test_a_failed_turn_names_the_code_and_its_own_cure(code: Code):
    """What helps against a wrong key does not help against a broken set-up."""
    last = TurnEnd(turn=1, reason=StopReason.FAILED, summary="what happened", failure=code)
    first, summary, cure = unstyle(show.end("s-1", last)).splitlines()
    assert (first, summary) == (f"session s-1: failed [{code}]", "  what happened")
    row = TABLE[code]
    assert cure == f"  try: {(row.typed or row.cure).format(session='s-1')}"


def test_a_summary_keeps_its_paragraphs():
    """Each line inert, beneath the end it belongs to."""
    last = TurnEnd(turn=1, reason=StopReason.FINISHED, summary="Add adds\n\nIt \x1bsubtracted.")
    told = unstyle(show.end("s-1", last)).splitlines()
    assert told[1:] == ["  Add adds", "", "  It \N{REPLACEMENT CHARACTER}subtracted."]
    assert show.turn_end(last)[1:] == told[1:]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_last_columns_are_cut_to_a_width(width: int):
    """They share what the others leave, and keep their headings at least."""
    row = ("a" * 40, "b" * 60, "c")
    shown = unstyle(table(("A", "TITLE", "NOW"), [row], within=width, flexible=2))
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert ("b" * 60 in lines[1]) is (width == 200)


def test_a_failure_of_another_version_is_shown_as_it_is():
    """An unknown code hides nothing, and the advice is the general one."""
    last = TurnEnd(turn=1, reason=StopReason.FAILED, failure="\x1bunheard_of")
    told = unstyle(show.end("s-1", last))
    assert "failed [\N{REPLACEMENT CHARACTER}unheard_of]" in told
    assert 'overnight prompt s-1 "Go on."' in told
