"""A diff as a person reads it: inert, coloured, and only its beginning where it is long; pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import typer

from cli.terminal import inert, inert_line

WHOLE_LINES = 100
"""A diff of so many lines is shown whole; of a longer one about as many."""

FILE_LINES = 25
"""So many of one file are shown of a longer diff, lest the first file hides all others."""

LINE_CHARACTERS = 400
FILES_SHOWN = 30

_FILE = "diff --git "
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_NOTES = {
    "new file mode 120000": "a new link",
    "new file mode ": "new",
    "deleted file mode ": "deleted",
    "rename from ": "renamed",
    "new mode ": "mode changed",
    "Binary files ": "binary",
}
_COLOURS = {"hunk": "cyan", "added": "green", "removed": "red"}

Kind = Literal["file", "hunk", "added", "removed", "context"]
"""What a line is: of the head of a file or a hunk, or of its content."""


class Line(NamedTuple):
    """One line, inert."""

    kind: Kind
    text: str


class FileCounts(NamedTuple):
    """How much of one file changed."""

    path: str
    added: int
    removed: int
    notes: tuple[str, ...]


def coloured(diff: bytes) -> str:
    """Return all of a diff; nothing in it can drive a terminal, and nothing is hidden."""
    return "\n".join(_styled(line.kind, line.text) for line in _lines(diff))


def beginning(diff: bytes, rest: str) -> list[str]:
    """Return each file with its counts, and the first lines of each; `rest` leads to all."""
    files = _files(_lines(diff))
    is_whole = sum(map(len, files)) <= WHOLE_LINES
    room = WHOLE_LINES
    shown: list[str] = []
    for lines in files:
        fitting = lines if is_whole else lines[: min(FILE_LINES, room)]
        room -= len(fitting)
        shown += [_styled(line.kind, _cut(line.text)) for line in fitting]
        if fitting and len(fitting) < len(lines):
            shown.append(_remark(f"… and {len(lines) - len(fitting):,} more lines of this file"))
    is_cut = any(len(line.text) > LINE_CHARACTERS for lines in files for line in lines)
    ending = [_remark(f"see all of it: {rest}")] if is_cut or not is_whole else []
    return [*_summary([_counted(lines) for lines in files]), "", *shown, *ending]


def _remark(text: str) -> str:
    return typer.style(text, fg="yellow")


def _summary(files: list[FileCounts]) -> list[str]:
    hidden = len(files) - FILES_SHOWN
    names = "1 file" if len(files) == 1 else f"{len(files)} files"
    added, removed = sum(each.added for each in files), sum(each.removed for each in files)
    return [
        *(_of_file(each) for each in files[:FILES_SHOWN]),
        *([f"  … and {hidden} more files"] if hidden > 0 else []),
        f"  {names} changed, +{added} -{removed}",
    ]


def _of_file(file: FileCounts) -> str:
    counts = f"+{file.added} -{file.removed}"
    notes = f"  ({', '.join(file.notes)})" if file.notes else ""
    return f"  {counts:>12}  {inert_line(file.path)}{notes}"


def _lines(diff: bytes) -> Iterator[Line]:
    """Tell by the hunks' own counts what a line is: a file may hold lines that look like heads."""
    old = new = 0
    for raw in diff.decode(errors="replace").removesuffix("\n").split("\n"):
        text = inert(raw)
        if old > 0 or new > 0:
            kind = _kind(raw[:1])
            # What tells that a line end is missing is no line of the file.
            is_line = raw[:1] != "\\"
            old -= is_line and kind != "added"
            new -= is_line and kind != "removed"
            yield Line(kind, text)
        elif head := _HUNK.match(raw):
            old, new = (int(count) if count else 1 for count in head.groups())
            yield Line("hunk", text)
        else:
            yield Line("context" if raw[:1] == "\\" else "file", text)


def _kind(mark: str) -> Kind:
    if mark == "+":
        return "added"
    return "removed" if mark == "-" else "context"


def _files(lines: Iterable[Line]) -> list[list[Line]]:
    files: list[list[Line]] = []
    for line in lines:
        if line.kind == "file" and line.text.startswith(_FILE):
            files.append([])
        if files:
            files[-1].append(line)
    return files


def _counted(lines: list[Line]) -> FileCounts:
    heads = [line.text for line in lines if line.kind == "file"]
    notes = {note: None for text in heads for note in _notes(text)}
    return FileCounts(
        path=_path(heads[0]),
        added=sum(line.kind == "added" for line in lines),
        removed=sum(line.kind == "removed" for line in lines),
        notes=tuple(notes),
    )


def _notes(head: str) -> list[str]:
    return [note for beginning, note in _NOTES.items() if head.startswith(beginning)][:1]


def _path(head: str) -> str:
    """Return the path that a head names; of a renamed file both."""
    names = head.removeprefix(_FILE)
    middle = len(names) // 2
    old, new = names[:middle], names[middle + 1 :]
    same = old.removeprefix("a/") == new.removeprefix("b/")
    return new.removeprefix("b/") if same else names


def _cut(text: str) -> str:
    return text if len(text) <= LINE_CHARACTERS else text[: LINE_CHARACTERS - 1] + "…"


def _styled(kind: Kind, text: str) -> str:
    if kind == "file":
        return typer.style(text, bold=True)
    colour = _COLOURS.get(kind)
    return typer.style(text, fg=colour) if colour else text
