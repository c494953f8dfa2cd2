"""`overnight logs`: the output of commands, byte by byte."""

import sys
from itertools import groupby
from operator import attrgetter
from typing import BinaryIO, NamedTuple, TextIO

from cli import reaching
from cli.problems import CliProblem
from cli.reaching import Reach
from cli.screen.inert import InertBytes
from cli.stream.items import Item, Output, Waiting
from cli.terminal import say
from cli.transport import waiting_for
from workflows.contract.base import CommandId
from workflows.contract.events import CheckStarted, CommandStarted, SessionEvent
from workflows.contract.output import Channel
from workflows.contract.problems import Code, ExitCode
from workflows.contract.socket import OutputChoice, OutputEnded, Subscribe


class Choice(NamedTuple):
    """What `logs` is asked for."""

    follow: bool
    command: str | None
    stderr: bool
    """Only what went to stderr, written to stdout."""


class _Sink:
    """Takes bytes as they are, or inert when it is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._buffer: BinaryIO = stream.buffer
        self._inert = InertBytes() if stream.isatty() else None

    def write(self, data: bytes) -> None:
        """Write the next bytes; they are out when it returns."""
        if self._inert is not None:
            data = self._inert.feed(data).encode()
        self._buffer.write(data)
        self._buffer.flush()


def print_logs(reach: Reach, session: str, choice: Choice) -> ExitCode:
    """Write what the commands of a session have printed, and go on with it if asked to.

    Raises:
        CliProblem: the session has no such command.
    """
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    commands = None if choice.command is None else (CommandId(choice.command),)
    wanted = Subscribe(follow=choice.follow, output=OutputChoice(commands=commands))
    sinks = _sinks(choice)
    is_known = choice.command is None
    try:
        for item in gateway.stream(found, wanted).items():
            is_known = is_known or _names(item, choice.command)
            if isinstance(item, Output):
                _write(item, sinks)
            elif isinstance(item, Waiting):
                say(waiting_for(item.url))
    except KeyboardInterrupt:
        return ExitCode.CTRL_C
    if not is_known:
        raise CliProblem(
            Code.COMMAND_UNKNOWN,
            f"session {found} has no command {choice.command!r}",
            session=found,
        )
    return ExitCode.OK


def _sinks(choice: Choice) -> dict[Channel, _Sink]:
    if choice.stderr:
        return {Channel.STDERR: _Sink(sys.stdout)}
    return {Channel.STDOUT: _Sink(sys.stdout), Channel.STDERR: _Sink(sys.stderr)}


def _write(output: Output, sinks: dict[Channel, _Sink]) -> None:
    # What is alike goes out at once; both may lead to the same file, where their order shows.
    for channel, frames in groupby(output.frames, key=attrgetter("channel")):
        if channel in sinks:
            sinks[channel].write(b"".join(frame.data for frame in frames))


def _names(item: Item, command: str | None) -> bool:
    match item:
        case Output() | OutputEnded():
            return item.command_id == command
        case SessionEvent(event=CommandStarted() | CheckStarted() as event):
            return event.command_id == command
        case _:
            return False
