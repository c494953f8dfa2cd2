"""Hostile output, made harmless."""

import random

import pytest

from cli.screen.inert import SEQUENCE_CHARACTERS, InertBytes

MARK = "\N{REPLACEMENT CHARACTER}"

CASES = [
    pytest.param(b"plain \xc3\xa4\tx\n", "plain ä\tx\n", id="plain"),
    pytest.param(b"a\x1b[31mb\x1b[0m\n", "ab\n", id="colours"),
    pytest.param(b"a\x1b[2J\x1b[1;1Hb", "ab", id="clear the screen"),
    pytest.param(b"a\x1b[c\x1b[>0q\x1b[6nb", "ab", id="ask the terminal"),
    pytest.param(b"a\x1b[?1049h\x1b[?25lb", "ab", id="private modes"),
    pytest.param(b"a\x1b]52;c;aGk=\x07b", "ab", id="OSC 52, the clipboard"),
    pytest.param(b"\x1b]8;;http://x/\x1b\\a\x1b]8;;\x1b\\b", "ab", id="OSC 8, links"),
    pytest.param(b"a\x1b]0;title\x1b\\b", "ab", id="OSC 0, the title"),
    pytest.param(b"a\x1bP1$r\x1b[31m\x1b\\b", "ab", id="DCS"),
    pytest.param(b"a\x1b_Gf=100;AAAA\x1b\\b", "ab", id="APC, pictures"),
    pytest.param(b"a\x1b^x\x1b\\b\x1bXy\x1b\\c", "abc", id="PM and SOS"),
    pytest.param(b"a\x1bcb\x1b7c\x1b(0d\x1b%Ge", "abcde", id="reset, save, character sets"),
    pytest.param("a\x9b31mb\x9d0;t\x9cc\x90q\x9cd".encode(), "abcd", id="C1 in UTF-8"),
    pytest.param("a\x85b\x84c".encode(), "abc", id="C1 that moves the cursor"),
    pytest.param(b"a\x9b31mb", f"a{MARK}31mb", id="C1 as a byte is no UTF-8"),
    pytest.param("a\u202eb\u2066c\u200bd".encode(), f"a{MARK}b{MARK}c{MARK}d", id="bidi"),
    pytest.param(b"a\x00\x08\x0e\x0f\x0b\x0c\x7fb\x05", "ab", id="NUL, BS, SO, ENQ, DEL"),
    pytest.param(b"\xff\xfea\xc3", f"{MARK}{MARK}a{MARK}", id="not UTF-8"),
    pytest.param(b"\xed\xa0\x80", MARK * 3, id="a surrogate"),
    pytest.param(b"10%\r50%\r100%\n", "10%\n50%\n100%\n", id="a progress bar"),
    pytest.param(b"\r\r10%\r\r\n\r\nx", "10%\n\nx", id="CR and LF in any number"),
    pytest.param(b"a\r\nb\n\nc\r\n", "a\nb\n\nc\n", id="line ends of both kinds"),
    pytest.param(b"a\x1b[31\nb", "a\nb", id="a line ends any sequence"),
    pytest.param(b"a\x1b]0;hidden\nb", "a\nb", id="a line ends a string"),
    pytest.param("a\x1b[1äb\x1b".encode(), "aäb", id="a broken sequence hides nothing"),
    pytest.param(b"a\x1b]0;t\x1b[31mb", "ab", id="a string that never ended"),
]


@pytest.mark.parametrize(("data", "shown"), CASES)
def test_nothing_drives_the_terminal(data: bytes, shown: str):
    """Of hostile output, only its text is shown."""
    inert = InertBytes()
    assert inert.feed(data) + inert.end() == shown


@pytest.mark.parametrize(("data", "shown"), CASES)
def test_seams_make_no_difference(data: bytes, shown: str):
    """What comes byte by byte is shown as if it had come at once."""
    inert = InertBytes()
    pieces = [inert.feed(data[index : index + 1]) for index in range(len(data))]
    assert "".join(pieces) + inert.end() == shown


@pytest.mark.parametrize("seed", range(50))
def test_no_bytes_at_all_drive_the_terminal(seed: int):
    """Whatever the bytes are, what is shown has no control characters but tabs and line ends."""
    chance = random.Random(seed)
    parts = [b"\x1b", b"\x1b]", b"\xc2\x9b", b"\r", b"\n", b"\x07", "ä\u202e".encode(), b"[2J"]
    data = b"".join(chance.choice([*parts, chance.randbytes(3)]) for _ in range(2_000))
    inert = InertBytes()
    shown = inert.feed(data) + inert.end()
    assert all(character in "\n\t" or character >= " " for character in shown)
    assert not any("\x7f" <= character <= "\x9f" for character in shown)
    assert "\u202e" not in shown


def test_an_endless_sequence_hides_only_so_much():
    """Text behind a sequence that never ends is shown in the end."""
    inert = InertBytes()
    assert inert.feed(b"\x1b]" + b"x" * SEQUENCE_CHARACTERS) == ""
    assert inert.feed(b"yyy").endswith("yy")


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_very_long_line_is_cut_and_marked_once(size: int):
    """A line of 100,000 characters costs the person one line; the next line is whole."""
    inert = InertBytes(line_limit=10)
    line = b"x" * 100_000
    pieces = [inert.feed(line[index : index + size]) for index in range(0, len(line), size)]
    assert "".join(pieces) + inert.feed(b"\nnext\n") == "xxxxxxxxxx…\nnext\n"


def test_a_line_of_just_the_limit_is_whole():
    """What fits is not marked."""
    assert InertBytes(line_limit=4).feed(b"abcd\nabcd") == "abcd\nabcd"
