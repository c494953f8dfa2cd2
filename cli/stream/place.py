"""Where a client stands in a session: what it has, what comes next, and what it asks for again.

Pure. Holds the last cursor, one entry for each command that has not ended, and a few that have.
"""

from collections.abc import Iterator
from itertools import islice

from cli.problems import CliProblem
from cli.stream.items import Item, Output, Reconnected
from workflows.contract.base import CommandId
from workflows.contract.events import (
    CheckFinished,
    CheckStarted,
    CommandFinished,
    CommandStarted,
    Happened,
    SessionEnded,
)
from workflows.contract.output import FRAME_HEADER, BrokenLogError, FrameDecoder
from workflows.contract.problems import Code
from workflows.contract.socket import (
    CaughtUp,
    Events,
    Hello,
    OutputEnded,
    OutputMessage,
    OutputSkipped,
    Pong,
    ServerMessage,
    Subscribe,
)

ASKED_LOGS = 1_000
"""So many commands may be named to the gateway; of more, the oldest are received from the start."""

ENDED_LOGS = 64
"""So many of the last commands that ended are known, should one be told of again."""


class _Log:
    """A command's log as far as it was received."""

    def __init__(self, command_id: CommandId, end: int | None) -> None:
        self.command_id = command_id
        self.end = end
        """Offset of the next byte; none when the first message decides where it begins."""
        self.is_told_over = False
        self._decoder = FrameDecoder()

    def take(self, offset: int, data: bytes) -> Output | None:
        """Take the next bytes; those that were there already are left out."""
        end = offset if self.end is None else self.end
        if offset > end:
            raise incomplete(self.command_id, end, offset)
        fresh = data[end - offset :]
        begin = end - self._decoder.pending
        try:
            frames = tuple(self._decoder.feed(fresh))
        except BrokenLogError as error:
            raise CliProblem(
                Code.ANSWER_NOT_UNDERSTOOD,
                f"the output of command {self.command_id!r} is none: {error}",
            ) from error
        self.end = end + len(fresh)
        return Output(self.command_id, begin, frames) if frames else None

    def skip(self, start: int, end: int) -> OutputSkipped | None:
        """Go on at `end`, where a frame begins."""
        known = start if self.end is None else self.end
        if start > known:
            raise incomplete(self.command_id, known, start)
        if end <= known:
            return None
        self.end = end
        self._decoder = FrameDecoder()
        return OutputSkipped(command_id=self.command_id, start=known, end=end)

    def require(self, end: int) -> None:
        """Refuse that the output ends here when some of it was not received.

        More than that is none of its business: a host that was given up may still have written.
        """
        if self.end is not None and self.end < end:
            raise incomplete(self.command_id, self.end, end)


class Place:
    """What was received of a session so far."""

    def __init__(self, wanted: Subscribe) -> None:
        self._wanted = wanted
        self._cursor = wanted.after
        self._logs = {
            command_id: _Log(command_id, end) for command_id, end in wanted.output.at.items()
        }
        self._ended: dict[CommandId, _Log] = {}
        """What is sent of these is new only behind what is here."""

        self._new = 0
        self._was_caught_up = False

    def subscription(self) -> Subscribe:
        """Return what asks for everything that is not here yet."""
        newest = islice(reversed(self._logs.values()), ASKED_LOGS)
        at = {each.command_id: each.end for each in newest if each.end is not None}
        return self._wanted.model_copy(
            update={
                "after": self._cursor,
                "recent": self._wanted.recent if self._cursor is None else None,
                "output": self._wanted.output.model_copy(update={"at": at}),
            }
        )

    def take(self, message: ServerMessage | OutputMessage) -> Iterator[Item]:
        """Take a message and yield what is new in it.

        Raises:
            CliProblem: output is missing, or is none.
        """
        match message:
            case Hello():
                yield self._hello(message)
            case Events():
                yield from self._events(message)
            case CaughtUp():
                yield self._caught_up(message)
            case OutputMessage() | OutputSkipped() | OutputEnded():
                found = self._output(message)
                if found is not None:
                    yield found
            case Pong():
                pass
            case _:
                yield message

    def _hello(self, hello: Hello) -> Hello:
        self._new = 0
        if self._cursor is None and self._wanted.recent == 0:
            # Nothing up to here is sent: a later connection goes on from here.
            self._cursor = hello.head
        return hello

    def _events(self, message: Events) -> Iterator[Item]:
        for event in message.items:
            if self._cursor is None or event.cursor > self._cursor:
                self._cursor = event.cursor
                if self._note(event.event):
                    self._new += 1
                    yield event

    def _note(self, event: Happened) -> bool:
        """Begin or end a log; false for a command that ended a second time."""
        match event:
            case CommandStarted(command_id=command) | CheckStarted(command_id=command):
                if self._wants(command):
                    known = self._ended.pop(command, None) or _Log(command, 0)
                    self._logs.setdefault(command, known)
            case (
                CommandFinished(command_id=command, output_end=end)
                | CheckFinished(command_id=command, output_end=end)
            ):
                return self._end(command, end)
            case SessionEnded():
                # What has not ended by now never will.
                self._keep(*self._logs.values())
                self._logs.clear()
            case _:
                pass
        return True

    def _end(self, command: CommandId, end: int) -> bool:
        log = self._logs.pop(command, None)
        if log is not None:
            log.require(end)
        is_second = log is None and command in self._ended
        if not is_second:
            self._keep(log or _Log(command, end))
        return not is_second

    def _keep(self, *ended: _Log) -> None:
        self._ended.update({log.command_id: log for log in ended})
        for oldest in list(islice(self._ended, max(0, len(self._ended) - ENDED_LOGS))):
            del self._ended[oldest]

    def _caught_up(self, message: CaughtUp) -> Item:
        again, self._was_caught_up = self._was_caught_up, True
        return Reconnected(self._new) if again else message

    def _output(self, message: OutputMessage | OutputSkipped | OutputEnded) -> Item | None:
        log = self._log(message.command_id)
        match message:
            case OutputMessage():
                return log.take(message.offset, message.data)
            case OutputSkipped():
                return log.skip(message.start, message.end)
            case OutputEnded():
                log.require(message.end)
                again, log.is_told_over = log.is_told_over, True
                return None if again else message

    def _log(self, command: CommandId) -> _Log:
        known = self._logs.get(command) or self._ended.get(command)
        if known is None:
            begin = 0 if self._wanted.output.mode == "all" else None
            known = self._logs[command] = _Log(command, begin)
        return known

    def _wants(self, command_id: CommandId) -> bool:
        choice = self._wanted.output
        named = choice.commands is None or command_id in choice.commands
        return named and choice.mode != "none"


def following_offset(offset: int, size: int) -> int:
    """Return where the frame behind one of `size` bytes at `offset` begins."""
    return offset + FRAME_HEADER.size + size


def incomplete(command_id: CommandId, have: int, found: int) -> CliProblem:
    """Return the error that bytes of a log were left out."""
    return CliProblem(
        Code.OUTPUT_INCOMPLETE,
        f"output of command {command_id!r} is missing from byte {have} to {found}",
    )
