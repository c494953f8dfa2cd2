"""A command's output by ranges of bytes: its log, or one of its two channels.

The store keeps the log; where a byte of a channel stands in it is found by walking from frame to
frame, and remembered at intervals.
"""

import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from typing import Literal, NamedTuple

from gateway.problems import ProblemError
from runtime.store.base import Store
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import (
    FRAME_HEADER,
    FRAME_LIMIT_BYTES,
    BrokenLogError,
    Channel,
    FrameDecoder,
    stream_key,
)
from workflows.contract.problems import Code

Part = Literal["stdout", "stderr", "log"]

CHUNK_BYTES = 256 * 1024
PEEK_BYTES = 4 * 1024
"""Read at once while walking: many headers of small frames, little of a large one."""

MARK_BYTES = 1024 * 1024
"""A place is remembered about once in so many bytes of a log."""

KEPT_INDEXES = 64
"""Commands whose places are remembered, at most about 25 KiB for each GiB."""

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_CHANNELS = {"stdout": Channel.STDOUT, "stderr": Channel.STDERR}


class Extent(NamedTuple):
    """Which bytes of how many are asked for; `end` is the byte after the last one."""

    start: int
    end: int
    size: int
    is_partial: bool

    def headers(self) -> dict[str, str]:
        """Return what HTTP says of it."""
        headers = {"accept-ranges": "bytes", "content-length": str(self.end - self.start)}
        if self.is_partial:
            headers["content-range"] = f"bytes {self.start}-{self.end - 1}/{self.size}"
        return headers


class Mark(NamedTuple):
    """The beginning of a frame: its offset, and the bytes of each channel before it."""

    offset: int
    stdout: int
    stderr: int

    def passed(self, channel: Channel) -> int:
        """Return how many bytes of a channel go before."""
        return self.stdout if channel is Channel.STDOUT else self.stderr


class _Index:
    """Marks of one log, as far as it was walked."""

    def __init__(self) -> None:
        self.marks = [Mark(0, 0, 0)]
        self.last = self.marks[0]
        self._walking = threading.Lock()

    def walk(self, store: Store, stream: str) -> None:
        """Go on to the last whole frame that the store has; threads walk one after the other."""
        with self._walking:
            end = store.stream_end(stream)
            while self.last.offset + FRAME_HEADER.size <= end:
                peeked = store.read_stream(stream, self.last.offset, PEEK_BYTES)
                if not self._step_through(peeked, end, stream):
                    return

    def _step_through(self, peeked: bytes, end: int, stream: str) -> bool:
        """Pass the frames whose headers were read; false when none was whole."""
        base = self.last.offset
        position = 0
        while position + FRAME_HEADER.size <= len(peeked):
            channel, _, length = FRAME_HEADER.unpack_from(peeked, position)
            if channel not in (Channel.STDOUT, Channel.STDERR) or length > FRAME_LIMIT_BYTES:
                message = f"{stream!r} holds no frame at {base + position}"
                raise BrokenLogError(message)
            position += FRAME_HEADER.size + length
            if base + position > end:
                break
            self._pass(base + position, Channel(channel), length)
        return self.last.offset > base

    def _pass(self, offset: int, channel: Channel, length: int) -> None:
        is_stdout = channel is Channel.STDOUT
        self.last = Mark(
            offset,
            self.last.stdout + (length if is_stdout else 0),
            self.last.stderr + (0 if is_stdout else length),
        )
        if offset - self.marks[-1].offset >= MARK_BYTES:
            self.marks.append(self.last)

    def before(self, channel: Channel, position: int) -> Mark:
        """Return the last mark with at most `position` bytes of the channel before it."""
        place = bisect_right(self.marks, position, key=lambda mark: mark.passed(channel))
        return self.marks[max(0, place - 1)]


class Outputs:
    """Finds and reads output for any number of threads; blocks as long as the store takes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._indexes: OrderedDict[str, _Index] = OrderedDict()
        self._finding = threading.Lock()

    def locate(
        self, session: SessionId, command: CommandId, part: Part, wanted: str | None
    ) -> Extent:
        """Say which bytes a Range header asks for, of those there are by now.

        Raises:
            ProblemError: `no_output`, `range_not_satisfiable`.
        """
        stream = stream_key(session, command)
        size = self._store.stream_end(stream)
        if size == 0:
            detail = f"session {session!r} has no output of command {command!r}"
            raise ProblemError(Code.NO_OUTPUT, detail)
        if part != "log":
            size = self._walked(stream).last.passed(_CHANNELS[part])
        return _extent(wanted, size)

    def read(
        self, session: SessionId, command: CommandId, part: Part, extent: Extent
    ) -> Iterator[bytes]:
        """Yield the bytes of an extent, some 256 KiB at a time."""
        stream = stream_key(session, command)
        if part == "log":
            yield from self._log(stream, extent.start, extent.end)
            return
        channel = _CHANNELS[part]
        mark = self._walked(stream).before(channel, extent.start)
        position, decoder = mark.passed(channel), FrameDecoder()
        for chunk in self._log(stream, mark.offset, self._store.stream_end(stream)):
            frames = (frame.data for frame in decoder.feed(chunk) if frame.channel is channel)
            data = b"".join(frames)
            cut = data[max(0, extent.start - position) : max(0, extent.end - position)]
            position += len(data)
            if cut:
                yield cut
            if position >= extent.end:
                return

    def _log(self, stream: str, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            data = self._store.read_stream(stream, start, min(CHUNK_BYTES, end - start))
            if not data:
                return
            start += len(data)
            yield data

    def _walked(self, stream: str) -> _Index:
        with self._finding:
            index = self._indexes.setdefault(stream, _Index())
            self._indexes.move_to_end(stream)
            while len(self._indexes) > KEPT_INDEXES:
                self._indexes.popitem(last=False)
        index.walk(self._store, stream)
        return index


def _extent(wanted: str | None, size: int) -> Extent:
    whole = Extent(0, size, size, is_partial=False)
    found = _RANGE.fullmatch(wanted or "")
    if found is None or found[0] == "bytes=-":
        # Also several ranges: RFC 9110 lets a server answer with the whole.
        return whole
    first, last = found[1], found[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if last and first and int(last) < start:
        return whole
    if start >= size:
        detail = f"the range begins at {start}, there are {size} bytes by now"
        headers = {"content-range": f"bytes */{size}"}
        raise ProblemError(Code.RANGE_NOT_SATISFIABLE, detail, headers=headers)
    return Extent(start, end, size, is_partial=True)
