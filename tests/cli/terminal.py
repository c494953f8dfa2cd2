"""A terminal for a test to sit at."""

import os
import pty
import re
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

READ_BYTES = 64 * 1024
_LOCAL_MODES = 3
_STYLES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """What is typed and what is shown; `end` is the file descriptor for the program."""

    def __init__(self) -> None:
        self._own, self.end = pty.openpty()
        self._shown = bytearray()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def type(self, text: str) -> None:
        """Type a text; the character 4 is Ctrl-D."""
        os.write(self._own, text.encode())

    @property
    def shown(self) -> bytes:
        """Everything that reached the terminal so far, what is typed included."""
        return bytes(self._shown)

    @property
    def echoes(self) -> bool:
        """Whether it shows and edits by itself what is typed."""
        modes: int = termios.tcgetattr(self.end)[_LOCAL_MODES]
        return modes & termios.ECHO != 0 and modes & termios.ICANON != 0

    def close(self) -> None:
        """Let go of both ends, once the program has ended."""
        os.close(self.end)
        self._reading.join()
        os.close(self._own)

    def _read(self) -> None:
        # The other end being closed is an error here.
        with suppress(OSError):
            while data := os.read(self._own, READ_BYTES):
                self._shown += data


def rows(text: str) -> list[str]:
    """Return what a very wide terminal shows of a text, without styles and trailing blanks."""
    found: list[list[str]] = [[]]
    column = 0
    for character in _STYLES.sub("", text):
        if character == "\n":
            found.append([])
        if character in "\r\n":
            column = 0
            continue
        found[-1][column : column + 1] = [character]
        column += 1
    return ["".join(row).rstrip() for row in found]


@contextmanager
def sitting() -> Iterator[Terminal]:
    """Give a terminal while the block runs."""
    terminal = Terminal()
    try:
        yield terminal
    finally:
        terminal.close()
