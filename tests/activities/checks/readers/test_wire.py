"""What is made of paths and numbers that a report holds."""

import pytest

from activities.checks.readers.wire import Paths, at, items, mapping, text, whole


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("src/../a.py", "a.py"),
        ("/workspace/src/a.py", "src/a.py"),
        ("//workspace/src/a.py", "src/a.py"),
        ("file:///workspace/src/a%20b.py", "src/a b.py"),
        ("file://localhost/workspace/a.py", "a.py"),
        ("src\\a.py", "src/a.py"),
        ("", ""),
        (".", ""),
        ("..", ""),
        ("../a.py", ""),
        ("src/../../a.py", ""),
        ("/workspace", ""),
        ("/workspace/../etc/passwd", ""),
        ("/workspaces/a.py", ""),
        ("/etc/passwd", ""),
        ("file:///etc/passwd", ""),
        ("file://elsewhere/workspace/a.py", ""),
        ("file:///workspace/%2e%2e/etc/passwd", ""),
        ("https://example.org/a.py", ""),
        ("C:\\work\\a.c", ""),
        ("file:///C:/work/a.c", ""),
        ("a\x00b", ""),
        ("a\nb", ""),
        ("a\u202eb", ""),
        ("x" * 501, ""),
        ("x/" * 10_000, ""),
    ],
)
def test_a_path_is_inside_the_workspace_or_none(raw: str, expected: str) -> None:
    """Whatever a report names, nothing outside is looked for."""
    assert Paths("/workspace").inside(raw) == expected
    assert Paths("/workspace/").inside(raw) == expected


def test_uris_are_decoded_once() -> None:
    """A percent sign is one in a path, and an escape in a URI."""
    paths = Paths("/workspace")
    assert paths.of_uri("src/a%20b.py") == "src/a b.py"
    assert paths.of_uri("%2e%2e/a.py") == ""
    assert paths.of_uri("src/a%2520b.py") == "src/a%20b.py"
    assert paths.inside("src/a%20b.py") == "src/a%20b.py"


def test_without_a_workspace_no_absolute_path_is_inside() -> None:
    """Relative ones still are."""
    assert Paths("").inside("/a.py") == ""
    assert Paths("").inside("a.py") == "a.py"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        ("3", 3),
        (3.7, 3),
        (-1, 0),
        (10**30, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ("-3", 0),
        ("²", 0),
        ("9" * 5_000, 0),
        (True, 0),
        (None, 0),
        ([3], 0),
    ],
)
def test_a_number_is_a_line_or_nothing(value: object, expected: int) -> None:
    """Reports hold anything where a line should be."""
    assert whole(value) == expected


def test_other_types_are_empty() -> None:
    """What was expected is there or nothing is."""
    assert at({"a": {"b": 1}}, "a", "b") == 1
    assert at({"a": [1]}, "a", "b") is None
    assert (mapping([]), items({}), text([]), text(None), text(True)) == ({}, [], "", "", "")
    assert text(17) == "17"
