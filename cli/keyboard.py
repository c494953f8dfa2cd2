"""What a person types while a session is followed: prompts, and a few commands."""

import os
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import NamedTuple, Protocol

from cli.problems import CliProblem
from cli.terminal import inert_line
from workflows.contract.problems import Code
from workflows.contract.session import PromptMode

HELP = """each line is a prompt, taken up as the next turn; while the session asks, it is the answer
  /steer TEXT       a prompt for the running turn
  /interrupt TEXT   stop what runs, then work on this
  /diff             show the files in question, or else the newest work
  /stop             stop what runs; a prompt that waits is taken up then
  /close            stop what runs and end the session
  Ctrl-C, Ctrl-D    leave; the session goes on"""

READ_BYTES = 64 * 1024


class Act(Enum):
    """What a line asks for."""

    PROMPT = auto()
    STOP = auto()
    CLOSE = auto()
    DIFF = auto()
    HELP = auto()


class Typed(NamedTuple):
    """A line that was understood."""

    act: Act
    text: str = ""
    mode: PromptMode = PromptMode.QUEUE


_ACTS = {"/stop": Act.STOP, "/close": Act.CLOSE, "/diff": Act.DIFF, "/help": Act.HELP}
_MODES = {"/steer": PromptMode.STEER, "/interrupt": PromptMode.INTERRUPT}


def parse(line: str) -> Typed | None:
    """Return what a line asks for; none when it is blank.

    Raises:
        CliProblem: it begins with `/` and is no command.
    """
    line = line.replace("\0", "").rstrip()
    if not line.startswith("/"):
        text = line.strip()
        return Typed(Act.PROMPT, text) if text else None
    name, _, rest = line.partition(" ")
    text = rest.strip()
    if name in _MODES and text:
        return Typed(Act.PROMPT, text, _MODES[name])
    if name == "/interrupt":
        return Typed(Act.STOP)
    if name in _ACTS and not text:
        return Typed(_ACTS[name])
    raise CliProblem(
        Code.INPUT_UNKNOWN,
        f"{inert_line(line)!r} is no command",
    )


class Receiver(Protocol):
    """Who gets what is typed."""

    def act(self, typed: Typed) -> None:
        """Do what a line asks for; may raise `CliProblem`."""

    def refuse(self, problem: CliProblem) -> None:
        """Show what is wrong with a line."""

    def leave(self) -> None:
        """Take note that nothing more will come."""


class Lines:
    """The lines of a terminal that shows and edits them itself."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[str | None]:
        """Take the next bytes and yield the lines that they complete."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")


@contextmanager
def unechoed() -> Iterator[None]:
    """Get every key as it is typed, while the block runs, and show none; Ctrl-C still works."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)
    try:
        yield
    finally:
        # The terminal may be gone.
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, before)


def listen(feed: Callable[[bytes], Iterable[str | None]], receiver: Receiver) -> None:
    """Pass on every line that is typed, from a thread of its own; nothing without a terminal.

    `feed` makes lines of bytes, and none of the key that leaves.
    """
    if sys.stdin.isatty():
        threading.Thread(target=_read, args=(feed, receiver), daemon=True).start()


def _read(feed: Callable[[bytes], Iterable[str | None]], receiver: Receiver) -> None:
    # Not through sys.stdin: its lock, held by a thread at the end of the process, aborts it.
    while data := _next_bytes():
        for line in feed(data):
            if line is None:
                receiver.leave()
                return
            try:
                typed = parse(line)
                if typed is not None:
                    receiver.act(typed)
            except CliProblem as problem:
                receiver.refuse(problem)
    receiver.leave()


def _next_bytes() -> bytes:
    try:
        return os.read(sys.stdin.fileno(), READ_BYTES)
    except OSError:
        # The terminal is gone.
        return b""
