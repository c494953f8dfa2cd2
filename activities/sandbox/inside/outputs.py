"""Whole outputs of commands as text that commands can read: `~/.overnight/output/<id>.txt`.

Used by the supervisor when an excerpt of an output left something out. Commands own these folders
and may put anything there: each folder is opened by its name alone and never through a link, a file
is written under a new name and then put in the place of whatever is there. Which files were written
stands in the state folder, so that removing old ones needs no look at what commands put beside.
"""

import codecs
import json
import os
import stat
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from activities.sandbox.inside import edits, linux, wire
from activities.sandbox.inside.workspace import READ, FileProblemError, explained

FOLDERS = (".overnight", "output")
LIMIT_BYTES = 64 * 1024 * 1024
"""Of one file, and of a log that is written whole; of a longer one the beginning and the end."""

HEAD_BYTES = 24 * 1024 * 1024
"""Leaves room for an end of 40 MiB: more than the host asks for (`OutputSummary.tail_offset`)."""

MOST_FILES = 50
MOST_BYTES = 256 * 1024 * 1024
"""Of all files together; the oldest are removed first."""

SLICE_S = 0.02
"""A long output is written in slices of this time, so that commands and requests never wait."""

SLICE_FRAMES = 200
PIECE_BYTES = 1024 * 1024
WRITTEN = "outputs.json"

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


class Outputs:
    """The files of whole outputs of one box."""

    def __init__(self, state: int, home: str) -> None:
        self._state = state
        self._home = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._prefix = "/".join((home.rstrip("/"), *FOLDERS, ""))
        self._unfinished: dict[str, Generator[None, None, wire.Reply]] = {}

    def keep(self, request: wire.Request) -> wire.Reply | None:
        """Write an ended command's output down as text; None means: ask again at once.

        Streams are interleaved as they arrived. Bytes that are no UTF-8, and NUL, become `?`, so
        the text is never longer than the output. A repeat writes the same file anew. Beyond
        `LIMIT_BYTES` the middle is left out, up to the frame that begins at `tail`, and a line
        says so. Raises `OSError` when a command put something in the way.
        """
        name = wire.identifier(request, "id")
        writing = self._unfinished.pop(name, None) or self._write(name, wire.whole(request, "tail"))
        until = time.monotonic() + SLICE_S
        while time.monotonic() < until:
            try:
                next(writing)
            except StopIteration as end:
                reply: wire.Reply = end.value
                return reply
        self._unfinished[name] = writing
        return None

    def _write(self, name: str, tail: int) -> Generator[None, None, wire.Reply]:
        with _opened_log(self._state, name) as log, self._opened_folder() as folder:
            size = os.fstat(log.fileno()).st_size
            with _replacement(folder, f"{name}.txt") as file:
                text = _Text(file)
                yield from text.write(log, size if size <= LIMIT_BYTES else HEAD_BYTES)
                if size > LIMIT_BYTES:
                    text.leave_out(log, tail)
                    yield from text.write(log, size)
                file.flush()
                self._make_room(folder, name, os.fstat(file.fileno()).st_size)
        return {"path": f"{self._prefix}{name}.txt", "whole": size <= LIMIT_BYTES}

    def _make_room(self, folder: int, name: str, size: int) -> None:
        known = linux.read_if_there(self._state, WRITTEN)
        before: list[tuple[str, int]] = [] if known is None else json.loads(known)
        written = [*((other, length) for other, length in before if other != name), (name, size)]
        while len(written) > MOST_FILES or sum(length for _, length in written) > MOST_BYTES:
            oldest, _ = written.pop(0)
            with suppress(OSError):  # gone already, or a folder of a command's making
                os.unlink(f"{oldest}.txt", dir_fd=folder)
        linux.write_durably(self._state, WRITTEN, json.dumps(written).encode())

    def holds(self, path: str) -> bool:
        """Tell whether an absolute path is that of a file in this folder, there or not."""
        name = path.removeprefix(self._prefix)
        return (
            path != name != "" and "/" not in name and "\0" not in name and name not in (".", "..")
        )

    def view(self, path: str, start: int, end: int | None) -> str:
        """Show lines of a file that `holds` is true of; raises `FileProblemError`."""
        with explained(path), self._opened_folder() as folder:
            name = path.removeprefix(self._prefix)
            descriptor = os.open(name, READ | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT_BYTES:
                message = f"{path!r} is not a file of at most {LIMIT_BYTES // 1024 // 1024} MiB"
                raise FileProblemError(message)
            return edits.show_pieces(_pieces(file), start, end)

    @contextmanager
    def _opened_folder(self) -> Iterator[int]:
        above = linux.open_folder(self._home, FOLDERS[0])
        try:
            folder = linux.open_folder(above, FOLDERS[1])
        finally:
            os.close(above)
        try:
            yield folder
        finally:
            os.close(folder)


class _Text:
    """What frames say, written as text."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {
            stream: decoder(errors="replace") for stream in (wire.STDOUT, wire.STDERR)
        }
        self._room = LIMIT_BYTES

    def write(self, log: BinaryIO, until: int) -> Generator[None, None, None]:
        """Take in the frames that begin before `until`, with a pause now and then."""
        begin, frames = log.tell(), 0
        while begin < until and len(header := log.read(wire.FRAME.size)) == wire.FRAME.size:
            stream, _, length = wire.FRAME.unpack(header)
            data = log.read(length)
            if len(data) < length:
                return  # torn by the death of its writer
            self._take(self._decoders[stream].decode(data))
            begin += wire.FRAME.size + length
            frames += 1
            if frames % SLICE_FRAMES == 0:
                yield

    def leave_out(self, log: BinaryIO, tail: int) -> None:
        """Go on at the frame that begins at `tail`, and say how much lies between."""
        begin = log.tell()
        if tail > begin:
            log.seek(tail)
            self._take(f"\n… about {(tail - begin) // 1024:,} KiB of output left out …\n")

    def _take(self, text: str) -> None:
        plain = text.encode().replace(_REPLACEMENT, b"?").replace(b"\0", b"?")[: self._room]
        self._file.write(plain)
        self._room -= len(plain)


@contextmanager
def _opened_log(state: int, name: str) -> Iterator[BinaryIO]:
    folder = linux.open_folder(state, "commands")
    try:
        log = os.open(f"{name}/log", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(log, "rb") as file:
        yield file


@contextmanager
def _replacement(folder: int, name: str) -> Iterator[BinaryIO]:
    """Give a new file that takes the name's place when the block ends without an error."""
    temporary = f".{name}.tmp"
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    # A command may still write to it: no more is read than it may hold.
    room = LIMIT_BYTES
    while room > 0 and (piece := file.read(min(PIECE_BYTES, room))):
        room -= len(piece)
        yield piece
