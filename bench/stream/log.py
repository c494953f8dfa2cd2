"""A command's log as its clients receive it: nothing is taken on trust."""

import hashlib
from bisect import bisect_right

from bench.stream.program import STAMP_DIGITS, SUM_WORD
from workflows.contract.output import FRAME_HEADER, FrameDecoder

NANOSECONDS = 1e9


class WrongOutputError(Exception):
    """A client got other bytes than another one, or the same ones elsewhere."""


class Log:
    """What all clients of one command got.

    The client that is ahead adds to it; what the others get is compared, byte by byte. With
    `shared=False` it keeps no bytes, for a single client.
    """

    def __init__(self, *, shared: bool = True) -> None:
        self.end = 0
        """Bytes of the log, headers included."""

        self.content = 0
        """Bytes of the lines before the last one."""

        self._bytes: bytearray | None = bytearray() if shared else None
        self._decoder = FrameDecoder()
        self._decoded = 0
        self._line = bytearray()
        self._digest = hashlib.sha256()
        self._claimed = ""
        self._ends: list[int] = []
        self.printed: list[int] = []
        """When each line was printed, in ns since the epoch."""

    @property
    def is_whole(self) -> bool:
        """The last line has come, and it is the sum of all lines before."""
        return self._claimed == self._digest.hexdigest()

    def take(self, offset: int, data: bytes, now_ns: int) -> list[float]:
        """Take what a client got at `now_ns`; return how old the lines are that end in it.

        Raises:
            WrongOutputError: these are not the bytes of this place.
        """
        known = min(self.end - offset, len(data))
        if known < 0 or not self._agrees(offset, data[:known]):
            message = f"{len(data)} bytes at {offset} of {self.end} are wrong"
            raise WrongOutputError(message)
        if known < len(data):
            self._extend(data[known:])
        first = bisect_right(self._ends, offset)
        last = bisect_right(self._ends, offset + len(data))
        return [(now_ns - printed) / NANOSECONDS for printed in self.printed[first:last]]

    def _agrees(self, offset: int, data: bytes) -> bool:
        if not data:
            return True
        return self._bytes is not None and self._bytes[offset : offset + len(data)] == data

    def _extend(self, data: bytes) -> None:
        self.end += len(data)
        if self._bytes is not None:
            self._bytes += data
        for frame in self._decoder.feed(data):
            begin = self._decoded + FRAME_HEADER.size
            self._decoded = begin + len(frame.data)
            self._read(frame.data, begin)

    def _read(self, data: bytes, begin: int) -> None:
        start = 0
        while (end := data.find(b"\n", start) + 1) > 0:
            self._line += data[start:end]
            self._end_line(begin + end)
            start = end
        self._line += data[start:]

    def _end_line(self, end: int) -> None:
        line, self._line = self._line, bytearray()
        if line.startswith(SUM_WORD):
            self._claimed = line[len(SUM_WORD) :].decode().strip()
            return
        self._digest.update(line)
        self.content += len(line)
        self._ends.append(end)
        self.printed.append(int(line[:STAMP_DIGITS]))
