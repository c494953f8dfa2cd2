"""What is left of text that a terminal or a reader could obey."""

import pytest

from activities.checks.findings.inert import decoded, end, inert, middle_cut, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07shown", "shown"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\ufffdb"),
        ("nul\x00", "nul\ufffd"),
        ("turned\u202e\u2066", "turned\ufffd\ufffd"),
        ("hidden\U000e0041", "hidden\ufffd"),
        ("half\ud800", "half\ufffd"),
        ("café → naïve", "café → naïve"),
    ],
)
def test_text_becomes_inert(text: str, expected: str) -> None:
    """Escape sequences fall away, all else that could be obeyed is marked."""
    assert inert(text) == expected


def test_one_line_is_short_and_has_no_breaks() -> None:
    """Breaks become spaces, and what is cut is marked."""
    assert one_line(" a\nb\tc ", 10) == "a b c"
    assert one_line("x" * 20, 10) == "x" * 9 + "…"
    assert one_line("é" * 20, 10) == "é" * 9 + "…"


def test_an_end_begins_with_a_line() -> None:
    """Half a line says nothing, but a long line is better than none."""
    assert end("first\nsecond\nthird", 10) == "…\nthird"
    assert end("short", 10) == "short"
    assert end("x" * 30, 10) == "…" + "x" * 9


def test_a_middle_cut_keeps_both_ends() -> None:
    """Together they are as long as they may be."""
    text = middle_cut("a" * 50 + "z" * 50, 10, 30)
    assert text == "a" * 10 + "\n…\n" + "z" * 17
    assert middle_cut("abc", 1, 3) == "abc"


def test_bytes_of_any_kind_are_text() -> None:
    """Also with a byte order mark, and when they are no text at all."""
    assert decoded("\ufeffé".encode()) == "é"
    assert decoded("é".encode("utf-16")) == "é"
    assert decoded(b"a\xff") == "a\ufffd"
