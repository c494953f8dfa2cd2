"""What one client is to get next: it pulls, at its own pace, and nothing is queued for it.

Order: a command's output comes after its start and before its end, so that whoever follows from the
first event sees the same sequence as somebody who was there.
"""

from typing import NamedTuple

import structlog

from gateway.feed.live import OutputWindow, TextWindow
from gateway.feed.runs import Line
from gateway.feed.watching import Watch
from gateway.problems import ProblemError
from workflows.contract.base import CommandId
from workflows.contract.events import (
    CheckFinished,
    CheckStarted,
    CommandFinished,
    CommandStarted,
    Happened,
    SessionEnded,
)
from workflows.contract.problems import Code
from workflows.contract.socket import (
    CaughtUp,
    OutputEnded,
    OutputSkipped,
    Subscribe,
    Text,
    Trouble,
)

BATCH_EVENTS = 200
BATCH_BYTES = 64 * 1024
"""A message of events is not begun anew for larger ones; one event is always sent whole."""

Message = str | bytes

log = structlog.get_logger()


class _Draining(NamedTuple):
    """A command whose end the client is told of once it has all the output."""

    command_id: CommandId
    end: int


class Puller:
    """One client's place in a session, and the next messages from there."""

    def __init__(self, watch: Watch, wanted: Subscribe, cursor: str | None) -> None:
        self._watch = watch
        self._choice = wanted.output
        self._follow = wanted.follow
        self.cursor = cursor
        """The last event sent, or the one that the client had."""

        self._offsets: dict[CommandId, int] = {
            command: offset for command, offset in wanted.output.at.items() if self._wants(command)
        }
        self._draining: _Draining | None = None
        self._just_ended: CommandId | None = None
        """All of its output was sent; the event of its end is next."""

        self._goals: dict[CommandId, int] | None = None
        """How far the output was when the client had all events for the first time."""

        self._is_caught_up = False
        self._is_idle = False
        self._text: tuple[int, int, int, int] | None = None
        self._trouble = ""

    @property
    def is_done(self) -> bool:
        """Nothing is left that this client wants, now or ever."""
        if not self._follow:
            return self._is_caught_up
        return self._is_idle and self._watch.is_closed

    async def pull(self) -> list[Message]:
        """Return the next messages, at most a few of them; none when there is nothing new.

        Raises:
            ProblemError: `temporal_unavailable`, `store_unavailable`; `invalid_request`, when the
                client claims to have more output than there is.
        """
        messages: list[Message] = []
        lines = await self._events()
        if lines:
            items = ",".join(line.json for line in lines)
            messages.append(f'{{"type":"events","items":[{items}]}}')
        elif self._draining is None:
            self._join_running()
        messages += await self._output()
        if not lines and not self._is_caught_up and self._has_reached_goals():
            self._is_caught_up = True
            messages.append(CaughtUp().model_dump_json())
        self._is_idle = not messages
        if self._is_caught_up:
            messages += self._passing()
        return messages

    async def _events(self) -> list[Line]:
        """Take the next events, up to the end of a command whose output is not all sent."""
        if self._draining is not None:
            return []
        taken: list[Line] = []
        size = 0
        for line in await self._watch.timeline.after(self.cursor, BATCH_EVENTS):
            size += len(line.json)
            if taken and size > BATCH_BYTES:
                break
            if not await self._note(line.event.event):
                break
            taken.append(line)
            self.cursor = line.cursor
        return taken

    async def _note(self, event: Happened) -> bool:
        """Begin or end a command's output; false when the event must wait for output."""
        match event:
            case CommandStarted(command_id=command) | CheckStarted(command_id=command):
                if self._wants(command):
                    self._offsets.setdefault(command, 0)
            case (
                CommandFinished(command_id=command, output_end=end)
                | CheckFinished(command_id=command, output_end=end)
            ):
                return self._is_complete(command, end)
            case SessionEnded():
                # A session that was ended by force leaves commands whose end nobody recorded.
                for command in self._offsets:
                    return self._is_complete(command, await self._watch.chunks.end(command))
            case _:
                pass
        return True

    def _is_complete(self, command: CommandId, end: int) -> bool:
        if command not in self._offsets:
            was_sent = command == self._just_ended
            if was_sent or not self._wants(command) or self._choice.mode == "live":
                return True
            # It began before the first event that this client got.
            self._offsets[command] = 0
        if self._offsets[command] > end and command in self._choice.at:
            has = self._offsets[command]
            detail = f"output.at: command {command!r} has {end} bytes of output, not {has}"
            raise ProblemError(Code.INVALID_REQUEST, detail)
        self._draining = _Draining(command, end)
        return False

    def _wants(self, command: CommandId) -> bool:
        if self._choice.mode == "none":
            return False
        return self._choice.commands is None or command in self._choice.commands

    def _join_running(self) -> None:
        """Begin with commands that started before the first event that this client got."""
        for command, window in self._watch.outputs.items():
            if command not in self._offsets and self._wants(command):
                self._offsets[command] = window.start if self._choice.mode == "live" else 0
        if self._goals is None:
            ends = self._watch.outputs.items()
            self._goals = {command: window.end for command, window in ends}

    def _has_reached_goals(self) -> bool:
        if self._goals is None or self._draining is not None:
            return False
        return all(self._offsets.get(name, goal) >= goal for name, goal in self._goals.items())

    async def _output(self) -> list[Message]:
        if self._draining is not None:
            return await self._drain(*self._draining)
        messages: list[Message] = []
        for command, window in self._watch.outputs.items():
            offset = self._offsets.get(command)
            end = self._end_wanted(command, window)
            if offset is not None and offset < end:
                messages += await self._send(command, offset, end)
        return messages

    def _end_wanted(self, command: CommandId, window: OutputWindow) -> int:
        """Return how far a client gets now: one that does not follow, no further than its goal."""
        if self._follow or self._goals is None:
            return window.end
        return min(window.end, self._goals.get(command, 0))

    async def _drain(self, command: CommandId, end: int) -> list[Message]:
        """Send what is left of a command that ended, then that it is all."""
        messages: list[Message] = []
        if (offset := self._offsets[command]) < end:
            messages += await self._send(command, offset, end)
            if not messages:
                log.error("output.missing", command=command, start=offset, end=end)
                messages += self._skip(command, offset, end)
        if self._offsets[command] >= end:
            messages.append(OutputEnded(command_id=command, end=end).model_dump_json())
            del self._offsets[command]
            self._draining = None
            self._just_ended = command
        return messages

    async def _send(self, command: CommandId, offset: int, end: int) -> list[Message]:
        messages: list[Message] = []
        window = self._watch.window(command)
        most_behind = self._choice.most_behind
        if most_behind is not None and end - offset > most_behind:
            # Only a window's start and the end are known to be the beginning of a frame.
            resumed = window.start if window is not None and offset < window.start < end else end
            messages += self._skip(command, offset, resumed)
            offset = resumed
        chunk = None
        if offset < end:
            chunk = await self._watch.chunks.get(command, offset, end, window)
        if chunk is not None:
            messages.append(chunk.message)
            self._offsets[command] = offset + chunk.length
        return messages

    def _skip(self, command: CommandId, start: int, end: int) -> list[Message]:
        self._offsets[command] = end
        return [OutputSkipped(command_id=command, start=start, end=end).model_dump_json()]

    def _passing(self) -> list[Message]:
        """Return what may be lost: the text so far, and trouble."""
        messages: list[Message] = []
        picture = self._watch.picture
        if picture.trouble != self._trouble:
            self._trouble = picture.trouble
            messages.append(Trouble(text=picture.trouble).model_dump_json())
        if picture.text is not None:
            messages += self._more_text(picture.text)
        return messages

    def _more_text(self, window: TextWindow) -> list[Message]:
        step = (window.turn, window.step, window.epoch)
        sent = self._text[3] if self._text is not None and self._text[:3] == step else 0
        start = max(sent, window.start)
        end = window.start + len(window.data)
        if end <= start:
            return []
        self._text = (*step, end)
        text = window.data[start - window.start :].decode(errors="replace")
        message = Text(
            turn=window.turn, step=window.step, epoch=window.epoch, start=start, text=text
        )
        return [message.model_dump_json()]
