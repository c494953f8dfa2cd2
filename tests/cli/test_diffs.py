"""Diffs as a person reads them."""

import pytest
from click import unstyle

from cli import diffs

SMALL = b"""diff --git a/a b.py b/a b.py
index 1111111..2222222 100644
--- a/a b.py\t
+++ b/a b.py\t
@@ -1,4 +1,4 @@ def f():
 same
--- a/fake
--- a/fake2
+++ b/fake
+@@ -1 +1 @@
 diff --git a/fake b/fake
\\ No newline at end of file
diff --git a/old.txt b/new.txt
similarity index 100%
rename from old.txt
rename to new.txt
diff --git a/run b/run
new file mode 100755
--- /dev/null
+++ b/run
@@ -0,0 +1 @@
+\x1b[2J\xff \xe2\x80\xae\r
diff --git a/x.bin b/x.bin
deleted file mode 100644
Binary files a/x.bin and /dev/null differ
diff --git a/to b/to
new file mode 120000
@@ -0,0 +1 @@
+/etc/passwd
"""


def shown(diff: bytes) -> list[str]:
    return [unstyle(line) for line in diffs.beginning(diff, "overnight diff s")]


def long(name: str, lines: int) -> bytes:
    head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -0,0 +1,{lines} @@\n"
    return (head + "".join(f"+{number}\n" for number in range(lines))).encode()


def test_each_file_is_named_with_what_changed():
    """What looks like a head within a file is counted as a line of it."""
    assert shown(SMALL)[:7] == [
        "         +2 -2  a b.py",
        "         +0 -0  a/old.txt b/new.txt  (renamed)",
        "         +1 -0  run  (new)",
        "         +0 -0  x.bin  (deleted, binary)",
        "         +1 -0  to  (a new link)",
        "  5 files changed, +4 -2",
        "",
    ]


def test_a_small_diff_is_shown_whole():
    """Line by line as git prints it, and nothing leads to more."""
    text = SMALL.decode(errors="replace").replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    for hidden in "\u202e\r":
        text = text.replace(hidden, "\N{REPLACEMENT CHARACTER}")
    assert shown(SMALL)[7:] == text.removesuffix("\n").split("\n")
    assert unstyle(diffs.coloured(SMALL)) == text.removesuffix("\n")


def test_nothing_in_a_diff_drives_the_terminal():
    """Only our own colours are escape sequences; what would be one is replaced, not left out."""
    whole = "\n".join([diffs.coloured(SMALL), *diffs.beginning(SMALL, "x")])
    assert not set(unstyle(whole)) & set("\x1b\r\u202e\x9b\x07")
    assert "\N{REPLACEMENT CHARACTER}[2J" in whole


def test_colours_follow_the_hunks():
    """A removed line that looks like a file's head is red like any other."""
    lines = diffs.coloured(SMALL).split("\n")
    red, green, bold = "\x1b[31m", "\x1b[32m", "\x1b[1m"
    assert [lines[number][: len(mark)] for number, mark in ((6, red), (8, green), (2, bold))] == [
        red,
        green,
        bold,
    ]
    assert lines[9].startswith(green)
    assert "\x1b" not in lines[10]


def test_a_long_file_hides_no_other():
    """Of a long diff each file shows its beginning; the way to all of it is told."""
    lines = shown(long("big", 5_000) + long("small", 3))
    assert lines[:3] == [
        "      +5000 -0  big",
        "         +3 -0  small",
        "  2 files changed, +5003 -0",
    ]
    rest = 5_004 - diffs.FILE_LINES
    assert f"… and {rest:,} more lines of this file" in lines
    assert lines[-4:] == ["+0", "+1", "+2", "see all of it: overnight diff s"]


def test_many_files_and_long_lines_are_cut():
    """All files count, the first are named, and no line fills the screen."""
    lines = shown(b"".join(long(f"f{number}", 20) for number in range(40)))
    assert "  … and 10 more files" in lines
    assert "  40 files changed, +800 -0" in lines
    assert len(lines) <= diffs.WHOLE_LINES + diffs.FILES_SHOWN + 10
    assert lines[-1] == "see all of it: overnight diff s"
    wide = shown(b"diff --git a/w b/w\n@@ -0,0 +1 @@\n+" + b"w" * 5_000 + b"\n")
    assert max(map(len, wide)) == diffs.LINE_CHARACTERS
    assert wide[-1] == "see all of it: overnight diff s"


@pytest.mark.parametrize("diff", [b"", b"\n", b"not a diff\n"])
def test_what_is_no_diff_is_shown_as_nothing_changed(diff: bytes):
    """It is no reason to fail."""
    assert shown(diff)[0] == "  0 files changed, +0 -0"
