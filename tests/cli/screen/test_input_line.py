"""Typing while others write."""

import pytest

from cli.screen.input_line import FALLBACK_COLUMNS, InputLine
from cli.screen.screen import Screen
from tests.cli.terminal import rows


class Desk:
    """A screen with a line to type on; `rows` is what a terminal makes of it."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self.line = InputLine(self._written.append)
        self.screen = Screen(self.line.write, self.line.was_ended)

    def type(self, text: str | bytes) -> list[str | None]:
        return list(self.line.feed(text.encode() if isinstance(text, str) else text))

    @property
    def rows(self) -> list[str]:
        return rows("".join(self._written))


def test_what_is_typed_and_what_is_shown_stay_apart():
    """Whole lines go above the line that is typed; the beginning of one waits for its end."""
    desk = Desk()
    desk.screen.text("reply", "  ", "I will ")
    assert desk.type("look") == []
    desk.screen.text("reply", "  ", "read ")
    assert desk.rows == ["  I will", "> look"]
    desk.screen.text("reply", "  ", "it\nand ")
    desk.screen.line("an event")
    assert desk.rows == ["  I will", "  read it", "  and", "an event", "> look"]
    desk.screen.text("reply", "  ", "then")
    assert desk.type(" again\n") == ["look again"]
    assert desk.rows[4:] == ["> look again", "  then"]
    desk.screen.text("reply", "  ", " stop\n")
    assert desk.rows[4:] == ["> look again", "  then stop", ""]


def test_a_line_that_is_given_up_leaves_no_trace():
    """Who deletes what was typed sees again what is shown, as it comes."""
    desk = Desk()
    desk.screen.text("reply", "  ", "one ")
    desk.type("x")
    desk.screen.text("reply", "  ", "two")
    desk.type("\x7f")
    desk.screen.text("reply", "  ", " three")
    assert desk.rows == ["  one", "  two three"]


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ("ab\x7f\x08c\n", ["c"]),
        ("\x7f\n", [""]),
        ("one two \x17three\r", ["onethree"]),
        ("one\x15two\nthree\n", ["two", "three"]),
        ("a\x1b[D\x1b[3~b\x1bOP\x07\0\n", ["ab"]),
        ("a\x1b\nbc\n", ["a", "bc"]),
        ("a\tb\u202e\n", ["a b\N{REPLACEMENT CHARACTER}"]),
        ("\x04", [None]),
        ("a\x04\x7f\x04", [None]),
    ],
)
def test_a_line_can_be_edited(keys: str, lines: list[str | None]):
    """The usual keys delete, other keys do nothing; Ctrl-D leaves when nothing is typed."""
    assert Desk().type(keys) == lines


def test_a_character_may_arrive_in_parts():
    """Keys are bytes, and a terminal does not hold them back until they are a character."""
    desk = Desk()
    for index in range(len("ä€".encode())):
        desk.type("ä€".encode()[index : index + 1])
    assert desk.rows == ["> ä€"]


@pytest.mark.parametrize(
    ("character", "width"), [("x", 1), ("漢", 2), ("e\N{COMBINING ACUTE ACCENT}", 1)]
)
def test_a_long_line_takes_one_row(character: str, width: int):
    """Its end is shown while it is typed, all of it once it is sent."""
    desk = Desk()
    typed = "begin" + character * 200
    desk.type(typed)
    (row,) = desk.rows
    fitting = (FALLBACK_COLUMNS - 3) // width
    assert row.removeprefix("> ").removeprefix("\N{COMBINING ACUTE ACCENT}") == character * fitting
    assert desk.type("\n") == [typed]
    assert desk.rows == ["> " + typed, ""]


def test_others_may_write_beside_it():
    """A remark stands on lines of its own, whatever is unfinished."""
    desk = Desk()
    desk.screen.text("reply", "  ", "one ")
    with desk.line.aside():
        desk.line.write("remark\n")
    desk.screen.text("reply", "  ", "two")
    desk.type("typed")
    with desk.line.aside():
        assert desk.rows[-1] == ""
    assert desk.rows == ["  one", "remark", "  two", "> typed"]


def test_what_was_not_sent_stays_to_be_seen():
    """Nothing that follows the end overwrites it, and nothing that was shown is lost."""
    desk = Desk()
    desk.type("not sent")
    desk.screen.text("reply", "  ", "last words")
    desk.line.end()
    desk.line.end()
    assert desk.rows == ["> not sent", "  last words"]
