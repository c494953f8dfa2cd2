"""What a person types while a session is followed: prompts, and a few commands."""

import os
import sys
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from cli.problems import CliProblem, Code
from cli.terminal import inert_line, report
from workflows.contract.session import PromptMode

HELP = """each line is a prompt, taken up as the next turn
  /steer TEXT       a prompt for the running turn
  /interrupt TEXT   stop what runs, then work on this
  /stop             stop what runs; the session waits for a prompt
  /close            stop what runs and end the session
  Ctrl-C, Ctrl-D    leave; the session goes on"""

READ_BYTES = 64 * 1024


class Act(Enum):
    """What a line asks for."""

    PROMPT = auto()
    STOP = auto()
    CLOSE = auto()
    HELP = auto()


class Typed(NamedTuple):
    """A line that was understood."""

    act: Act
    text: str = ""
    mode: PromptMode = PromptMode.QUEUE


_ACTS = {"/stop": Act.STOP, "/close": Act.CLOSE, "/help": Act.HELP}
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
        "/help; a prompt that begins with / needs a space before it",
    )


def listen(act: Callable[[Typed], None], leave: Callable[[], None]) -> None:
    """Pass on every line that is typed, from a thread of its own; nothing without a terminal.

    `leave` is called at the end of the input. What `act` raises as `CliProblem` is shown.
    """
    if sys.stdin.isatty():
        threading.Thread(target=_read, args=(act, leave), daemon=True).start()


def _read(act: Callable[[Typed], None], leave: Callable[[], None]) -> None:
    pending = b""
    # Not through sys.stdin: its lock, held by a thread at the end of the process, aborts it.
    while data := _next_bytes():
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            try:
                typed = parse(line.decode(errors="replace"))
                if typed is not None:
                    act(typed)
            except CliProblem as problem:
                report(problem)
    leave()


def _next_bytes() -> bytes:
    try:
        return os.read(sys.stdin.fileno(), READ_BYTES)
    except OSError:
        # The terminal is gone.
        return b""
