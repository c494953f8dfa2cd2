"""Reading a command's output back: frames from its log, and the excerpt a model is shown.

Used by the providers that keep logs as files. Everything streams, in constant
memory.
"""

import codecs
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from activities.sandbox.inside import wire
from workflows.contract.output import WINDOW_LIMIT_BYTES

HEAD_CHARACTERS = 8_000
TAIL_CHARACTERS = 8_000


class Frame(NamedTuple):
    """A piece of output as it was read from the command."""

    stream: int
    """`wire.STDOUT` or `wire.STDERR`."""

    time_ns: int
    """Since the epoch."""

    data: bytes
    end: int
    """Where the next frame begins in the log."""


def read_frames(log: Path, offset: int = 0) -> Iterator[Frame]:
    """Yield the whole frames from a frame's beginning on, as far as they are written by now.

    A last frame that is not whole yet (or never will be) ends the iteration; go on later from the
    `end` of the last frame received. A missing log has no frames. A frame is at most 64 KiB.
    """
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        while len(header := file.read(wire.FRAME.size)) == wire.FRAME.size:
            stream, time_ns, length = wire.FRAME.unpack(header)
            if stream not in (wire.STDOUT, wire.STDERR):
                return
            data = file.read(length)
            if len(data) < length:
                return
            offset += wire.FRAME.size + length
            yield Frame(stream, time_ns, data, offset)


class Fed(NamedTuple):
    """What was taken of some bytes of a log."""

    whole: int
    """Length of their whole frames."""

    tail: int
    """Where the first frame begins that a window can show with all that follow it; else `whole`."""


class OutputSummary:
    """The beginning and the end of a command's output as text, both streams in order of arrival.

    Keeps at most 8,000 + 8,000 characters and says how many it left out between. Bytes that are not
    UTF-8 become U+FFFD; a character cut by the seam of two frames of a stream stays whole.
    """

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {
            stream: decoder(errors="replace") for stream in (wire.STDOUT, wire.STDERR)
        }
        self._head = ""
        self._tail: deque[str] = deque()
        self._tail_characters = 0
        self._elided = 0
        self.sizes = {wire.STDOUT: 0, wire.STDERR: 0}
        """Bytes taken in per stream."""

    def add(self, frame: Frame) -> None:
        """Take in the next frame."""
        self._add(frame.stream, frame.data)

    def feed(self, log: bytes, known: int = 0) -> Fed:
        """Take in the whole frames at the beginning of the bytes.

        What follows them is not kept: it comes again at the beginning of the next bytes. Of the
        first `known` bytes no window shows anything.
        """
        start, length = 0, len(log)
        shown = max(known, length - WINDOW_LIMIT_BYTES)
        tail: int | None = None
        while start + wire.FRAME.size <= length:
            stream, _, size = wire.FRAME.unpack_from(log, start)
            begin = start + wire.FRAME.size
            if begin + size > length or stream not in self.sizes:
                break
            if tail is None and start >= shown:
                tail = start
            start = begin + size
            self._add(stream, log[begin:start])
        return Fed(start, start if tail is None else tail)

    def _add(self, stream: int, data: bytes) -> None:
        self.sizes[stream] += len(data)
        self._take(self._decoders[stream].decode(data))

    def text(self) -> str:
        """Return the excerpt; after it no more frames can be added."""
        for decoder in self._decoders.values():
            self._take(decoder.decode(b"", final=True))
        tail = "".join(self._tail)
        cut = max(0, len(tail) - TAIL_CHARACTERS)
        elided = self._elided + cut
        if not elided:
            return self._head + tail
        return f"{self._head}\n… {elided:,} characters elided …\n{tail[cut:]}"

    def _take(self, text: str) -> None:
        room = HEAD_CHARACTERS - len(self._head)
        self._head += text[:room]
        if len(text) > room:
            self._tail.append(text[room:])
            self._tail_characters += len(text) - room
        while self._tail and self._tail_characters - len(self._tail[0]) >= TAIL_CHARACTERS:
            dropped = len(self._tail.popleft())
            self._tail_characters -= dropped
            self._elided += dropped


def summarise(log: Path) -> OutputSummary:
    """Take in a whole log."""
    summary = OutputSummary()
    for frame in read_frames(log):
        summary.add(frame)
    return summary
