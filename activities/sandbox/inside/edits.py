"""What viewing and editing mean for text: pure functions from bytes to bytes and sentences."""

import itertools
from collections.abc import Callable, Iterable

from activities.sandbox.inside.workspace import MAX_FILE_BYTES

MAX_LINES = 400
MAX_CHARACTERS = 16_000
"""Of a file's view, line numbers included; also of a folder's."""

BYTES_A_CHARACTER = 4
"""At most, in UTF-8."""

CLOSE_LINES = 3
SEARCHED_LINES = 4_000
SEARCHED_CHARACTERS = 200
COMPARED_LINES = 20
LISTED_MATCHES = 20


class EditProblemError(Exception):
    """The edit cannot be made; the message is for the model."""


def is_binary(content: bytes) -> bool:
    """Tell whether this is no text to show: it holds a NUL byte."""
    return b"\0" in content


def show(content: bytes, start: int, end: int | None) -> str:
    r"""Number the lines from `start` to `end` (1-based, inclusive) and say what was left out.

    At most `MAX_LINES` lines and `MAX_CHARACTERS` characters. Lines end at `\n`; a `\r` before it
    is not shown. Bytes that are not UTF-8 appear as U+FFFD.
    """
    lines = _lines(content)
    return _page(lines[start - 1 :], start, end, len(lines))


def show_pieces(pieces: Iterable[bytes], start: int, end: int | None) -> str:
    """Do what `show` does, for a file of any size that comes in pieces and is never held whole.

    A line that is too long to be shown may be said to be shorter than it is.
    """
    number = 1
    wanted = bytearray()
    last = b""
    for piece in pieces:
        newlines = piece.count(b"\n")
        is_near = number + newlines >= start and number < start + MAX_LINES
        if is_near and len(wanted) < MAX_CHARACTERS * BYTES_A_CHARACTER:
            wanted += piece.split(b"\n", start - number)[-1] if number < start else piece
        number += newlines
        last = piece[-1:] or last
    total = number if last not in (b"", b"\n") else number - 1
    return _page(_lines(bytes(wanted)), start, end, total)


def _lines(content: bytes) -> list[str]:
    lines = content.decode(errors="replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def _page(lines: list[str], start: int, end: int | None, total: int) -> str:
    if not total:
        return "(the file is empty)"
    if start > total:
        return f"(the file has {total} lines; line {start} is past its end)"
    last = total if end is None else min(total, end)
    shown, taken = _within_limits(
        f"{number:>6}\t{line.removesuffix(chr(13))}"
        for number, line in zip(range(start, last + 1), lines, strict=False)
    )
    cut = start + taken - 1
    if cut < last:
        shown.append(f"(cut after line {cut} of {total}; view the rest by lines)")
    elif last < total:
        shown.append(f"(lines {start} to {last} of {total})")
    return "\n".join(shown)


def show_entries(entries: list[str]) -> str:
    """List a folder's entries, one a line, and say how many were left out."""
    if not entries:
        return "(the folder is empty)"
    shown, taken = _within_limits(iter(entries))
    left_out = len(entries) - taken
    return "\n".join([*shown, *([f"({left_out} more entries not shown)"] if left_out else [])])


def _within_limits(lines: Iterable[str]) -> tuple[list[str], int]:
    shown: list[str] = []
    room = MAX_CHARACTERS
    for line in itertools.islice(lines, MAX_LINES):
        if len(line) + 1 > room:
            if not shown:
                shown.append(f"{line[:room]} … (line cut, {len(line)} characters)")
            break
        shown.append(line)
        room -= len(line) + 1
    return shown, len(shown)


def replace(content: bytes, old: str, new: str, *, everywhere: bool) -> tuple[bytes, int]:
    """Replace an exact piece of text; returns the new content and the number of replacements.

    The piece must occur once, or at least once with `everywhere`. In a file whose every line ends
    with CRLF the given line ends are taken for CRLF. Raises `EditProblemError`.
    """
    if not old:
        message = "old_str is empty; it must name the text to replace"
        raise EditProblemError(message)
    wanted, substitute = old.encode(), new.encode()
    if _is_crlf(content):
        wanted, substitute = _with_crlf(wanted), _with_crlf(substitute)
    if wanted == substitute:
        message = "old_str and new_str are the same"
        raise EditProblemError(message)
    count = content.count(wanted)
    if count == 0:
        raise EditProblemError(_nothing_found(content, old))
    if count > 1 and not everywhere:
        raise EditProblemError(_too_many_found(content, wanted, count))
    if len(content) + count * (len(substitute) - len(wanted)) > MAX_FILE_BYTES:
        limit = f"{MAX_FILE_BYTES // 1024 // 1024} MiB"
        message = f"the file would be larger than {limit}; use a command"
        raise EditProblemError(message)
    return content.replace(wanted, substitute), count


def _is_crlf(content: bytes) -> bool:
    return content.count(b"\r\n") == content.count(b"\n") > 0


def _with_crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _too_many_found(content: bytes, wanted: bytes, count: int) -> str:
    numbers: list[str] = []
    position = content.find(wanted)
    while position >= 0 and len(numbers) < LISTED_MATCHES:
        numbers.append(str(content.count(b"\n", 0, position) + 1))
        position = content.find(wanted, position + len(wanted))
    more = ", …" if count > len(numbers) else ""
    return (
        f"old_str occurs {count} times, at lines {', '.join(numbers)}{more}; "
        "add surrounding lines to name one, or set replace_all"
    )


def _nothing_found(content: bytes, old: str) -> str:
    # Rarely needed, and every box's start would pay.
    import difflib  # noqa: PLC0415
    import heapq  # noqa: PLC0415

    # Comparing lines is slow (8 ms for two of 200 characters, measured): long files and long lines
    # are only looked at in part, and only the lines that have most pairs of characters in common.
    lines = content.decode(errors="replace").split("\n")[:SEARCHED_LINES]
    wanted = next((line for line in old.split("\n") if line.strip()), "")[:SEARCHED_CHARACTERS]
    first_at: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        first_at.setdefault(line[:SEARCHED_CHARACTERS], number)
    likely = heapq.nlargest(COMPARED_LINES, first_at, key=_likeness_to(wanted))
    close = difflib.get_close_matches(wanted, likely, n=CLOSE_LINES, cutoff=0.6)
    if not close:
        return "old_str does not occur in the file, and no line is close to its first"
    listed = "\n".join(f"{first_at[line]:>6}\t{line.rstrip()}" for line in close)
    return f"old_str does not occur in the file; the lines closest to its first are:\n{listed}"


def _likeness_to(wanted: str) -> Callable[[str], float]:
    """Return what says, quickly, how many pairs of characters a line shares, from 0 to 1."""
    pairs = _pairs(wanted)

    def likeness(line: str) -> float:
        others = _pairs(line)
        return 2 * len(pairs & others) / (len(pairs) + len(others))

    return likeness


def _pairs(text: str) -> set[str]:
    framed = f" {text.strip()} "
    return {framed[at : at + 2] for at in range(len(framed) - 1)}
