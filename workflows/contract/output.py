"""A command's output as everybody speaks of it, and what an activity's heartbeat shows of it.

A command's **log** is its one stream: frames of stdout and stderr in the order in which the
sandbox took them in. Offsets count bytes of the log, headers included, so one number says what a
reader has of both. The log is kept in the store at `stream_key`; it only ever grows.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workflows.contract.base import CommandId, Frozen, SessionId

FRAME_HEADER = struct.Struct(">BQI")
"""Before each frame's bytes: channel, time in ns since the epoch, number of bytes that follow."""

FRAME_LIMIT_BYTES = 64 * 1024
"""A frame carries at most so many bytes; more in a header means that this is no log."""

WINDOW_LIMIT_BYTES = 32 * 1024
"""A heartbeat carries at most so many bytes: larger ones slow every step of the server."""


class Channel(IntEnum):
    """Which of a command's two outputs a frame belongs to."""

    STDOUT = 1
    STDERR = 2


class OutputFrame(NamedTuple):
    """A piece of output as it was read from the command."""

    channel: Channel
    time_ns: int
    """Since the epoch, by the sandbox's clock."""

    data: bytes


class BrokenLogError(ValueError):
    """The bytes are no log; whoever sent them is defective."""


class FrameDecoder:
    """Turns a log's bytes, cut anywhere, back into frames; holds at most one frame."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def pending(self) -> int:
        """Bytes taken in that do not make a frame yet."""
        return len(self._pending)

    def feed(self, data: bytes) -> Iterator[OutputFrame]:
        """Take in the next bytes of the log and yield the frames that are whole by now.

        Raises:
            BrokenLogError: a header is impossible.
        """
        pending = self._pending
        pending += data
        start = 0
        try:
            while len(pending) - start >= FRAME_HEADER.size:
                channel, time_ns, length = FRAME_HEADER.unpack_from(pending, start)
                if channel not in (Channel.STDOUT, Channel.STDERR) or length > FRAME_LIMIT_BYTES:
                    message = f"a frame of {length} bytes on channel {channel}"
                    raise BrokenLogError(message)
                begin = start + FRAME_HEADER.size
                if len(pending) < begin + length:
                    return
                start = begin + length
                yield OutputFrame(Channel(channel), time_ns, bytes(pending[begin:start]))
        finally:
            del pending[:start]


def stream_key(session: SessionId, command: CommandId) -> str:
    """Return the name under which the store keeps a command's log."""
    return f"streams/{session}/{command}"


class LiveOutput(Frozen):
    """Heartbeat of a running command: how far its log is in the store.

    The second detail of the heartbeat is the window, the raw bytes of the log from `start`, where a
    frame begins, to `end`. Every byte before `end` was in the store before the heartbeat was sent.
    """

    kind: Literal["output"] = "output"
    command_id: CommandId
    start: int
    end: int


class LiveText(Frozen):
    """Heartbeat of a model call: what the reply says so far. It is never stored.

    The second detail is the window: UTF-8 text, of which `start` bytes went before. A higher
    epoch drops the text of the lower ones.
    """

    kind: Literal["text"] = "text"
    turn: int
    step: int
    epoch: int
    """The attempt of the call."""

    start: int


Live = Annotated[LiveOutput | LiveText, Field(discriminator="kind")]
