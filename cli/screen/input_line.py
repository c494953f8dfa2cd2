"""The line a person types on, kept beneath what is shown meanwhile.

No escape sequence is written: the line takes one row, which blanks erase.
"""

import codecs
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.screen.inert import InertText

MARK = "> "
FALLBACK_COLUMNS = 80

_KEYS = re.compile(r"([\n\r\x04\x08\x15\x17\x7f])")
_FUNCTION_KEY = re.compile(r"\x1bO.")
_LEAVE = "\x04"
_ENTER = "\n\r"


class InputLine:
    """What is typed and not sent yet, and what waits until it is.

    One thread shows with `write` and `aside`, another types with `feed`. `write` takes text as it
    is to appear; all of it must be inert.
    """

    def __init__(
        self, write: Callable[[str], None], began: Callable[[], None] = lambda: None
    ) -> None:
        self._write = write
        self._began = began
        """Called when the first character of a line is typed, before it is shown."""

        self._lock = threading.RLock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._inert = InertText()
        self._typed = ""
        self._drawn = 0
        """Columns that the line takes on the screen."""

        self._held = ""
        """The beginning of a line of others, while something is being typed."""

        self._is_open = False
        """Others have written the beginning of a line."""

        self._was_ended = False

    def write(self, text: str) -> None:
        """Show text; while something is being typed only its whole lines, above that."""
        with self._lock:
            if not self._typed:
                self._show(text)
                return
            whole, end, self._held = (self._held + text).rpartition("\n")
            if end:
                self._erase()
                self._show(whole + end)
                self._draw()

    def was_ended(self) -> bool:
        """Tell, once, that a line that others had begun was ended for this one."""
        with self._lock:
            was_ended, self._was_ended = self._was_ended, False
            return was_ended

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let the block write lines of its own to the terminal; nobody else does meanwhile."""
        with self._lock:
            self._make_room()
            yield
            self._draw()

    def feed(self, data: bytes) -> Iterator[str | None]:
        """Take keys and yield the lines that they complete; none when the person leaves."""
        for part in _KEYS.split(self._decoder.decode(data)):
            if part == _LEAVE and not self._typed:
                yield None
            elif part and part in _ENTER:
                yield self._sent()
            elif part:
                self._edit(part)

    def end(self) -> None:
        """Leave what was typed where it is, and go on beneath it."""
        with self._lock:
            if self._typed:
                self._show("\n")
                self._drawn = 0
                self._finish()

    def _sent(self) -> str:
        with self._lock:
            line = self._typed
            if line:
                if self._drawn < _columns_of(MARK + line):
                    self._erase()
                    self._show(MARK + line)
                self._drawn = 0
                self._show("\n")
                self._finish()
            # Half an escape sequence takes nothing of the next line.
            self._inert = InertText()
            return line

    def _edit(self, part: str) -> None:
        with self._lock:
            typed = self._edited(part)
            if typed == self._typed:
                return
            if not self._typed:
                self._began()
            self._make_room()
            self._typed = typed
            if typed:
                self._draw()
            else:
                self._finish()

    def _edited(self, part: str) -> str:
        match part:
            case "\x08" | "\x7f":
                return self._typed[:-1]
            case "\x15":
                return ""
            case "\x17":
                return self._typed.rstrip().rpartition(" ")[0]
            case _:
                text = self._inert.feed(_FUNCTION_KEY.sub("", part))
                return self._typed + text.replace("\t", " ")

    def _make_room(self) -> None:
        """Come to the beginning of an empty row."""
        self._erase()
        if self._is_open:
            self._show("\n")
            self._was_ended = True

    def _finish(self) -> None:
        """Go on with what had to wait."""
        self._typed, held, self._held = "", self._held, ""
        self._show(held)

    def _show(self, text: str) -> None:
        if text:
            self._write(text)
            self._is_open = not text.endswith("\n")

    def _erase(self) -> None:
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _draw(self) -> None:
        if self._typed:
            # A character in the last column would move the cursor on some terminals.
            shown = MARK + _tail(self._typed, _columns() - len(MARK) - 1)
            self._write(shown)
            self._drawn = _columns_of(shown)


def _tail(text: str, columns: int) -> str:
    """Return as much of the end of a text as fits."""
    start = len(text)
    while start and (columns := columns - _width(text[start - 1])) >= 0:
        start -= 1
    return text[start:]


def _columns_of(text: str) -> int:
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _columns() -> int:
    try:
        return os.get_terminal_size().columns or FALLBACK_COLUMNS
    except OSError:
        return FALLBACK_COLUMNS
