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

MARK_EVERY_BYTES = 1024 * 1024
MARKS = 32
"""So many frames' beginnings are known: the end of a log can be read from the oldest of them."""


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
        self._newlines = 0
        self._ends_in_line = False
        self._offset = 0
        self._marks: deque[int] = deque([0], maxlen=MARKS)
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
        if self._offset >= self._marks[-1] + MARK_EVERY_BYTES:
            self._marks.append(self._offset)
        self._offset += wire.FRAME.size + len(data)
        self._take(self._decoders[stream].decode(data))

    @property
    def lines(self) -> int:
        """Count the lines taken in; a last one need not be ended."""
        return self._newlines + self._ends_in_line

    @property
    def tail_offset(self) -> int:
        """Where in the log a frame begins with which about its last 32 MiB begin."""
        return self._marks[0]

    def elided(self) -> int:
        """Return how many characters the excerpt leaves out; no more frames can be added then."""
        for decoder in self._decoders.values():
            self._take(decoder.decode(b"", final=True))
        return self._elided + max(0, self._tail_characters - TAIL_CHARACTERS)

    def text(self, whole: str = "") -> str:
        """Return the excerpt, with a word on where all is; no more frames can be added then."""
        elided = self.elided()
        tail = "".join(self._tail)
        if not elided:
            return self._head + tail
        remark = f"{elided:,} characters elided{whole and '; '}{whole}"
        return f"{self._head}\n… {remark} …\n{tail[-TAIL_CHARACTERS:]}"

    def _take(self, text: str) -> None:
        if not text:
            return
        self._newlines += text.count("\n")
        self._ends_in_line = not text.endswith("\n")
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
