"""Python is taken apart as Python reads it, and broken Python is still looked at."""

from activities.checks.examining.python_source import Line, read_python

TEXT = '''\
"""A docstring with # no comment."""
import os  # a comment


@pytest . mark.skip(
    reason="later, # not now",
)
def f(x: int) -> str:
    """Another one."""
    "and a string that does nothing"
    return "a" + 'b' if x else """
    c"""
'''


def test_statements_are_whole_and_bare():
    """Whatever lines and spaces they take; strings and comments are not in them."""
    assert [text for _, text in read_python(TEXT).statements] == [
        "import os",
        '@pytest.mark.skip(reason="",)',
        "def f(x:int)->str:",
        'return""+""if x else""',
    ]


def test_comments_have_their_lines():
    """What looks like one in a string is none."""
    assert read_python(TEXT).comments == (Line(2, "# a comment"),)


def test_strings_that_do_something_are_told():
    """Docstrings are not."""
    assert read_python(TEXT).strings == (
        Line(6, "later, # not now"),
        Line(11, "a"),
        Line(11, "b"),
        Line(11, "\n    c"),
    )


def test_what_is_no_python_is_read_line_by_line():
    """From where it is none on: what comes before is known already."""
    found = read_python("a = 1  # one\nb = (\nimport pytest  # two\nc = 'x'\n")
    assert found.statements[0] == Line(1, "a=1")
    assert Line(3, "import pytest") in found.statements
    assert found.comments == (Line(1, "# one"), Line(3, "# two"))
    assert found.strings == (Line(4, "x"),)


def test_nothing_holds_nothing():
    """An empty file is a file."""
    assert read_python("") == ((), (), ())
