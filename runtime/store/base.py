"""What every store of bytes promises, and the errors it tells of. Used by activities and gateway.

A key is a relative path of plain segments. The key of a stream is `streams/<folder>/<name>`, and no
object's begins with `streams/`, so the two never meet.
"""

import asyncio
import hashlib
import re
from abc import ABC, abstractmethod

from workflows.contract.base import Sha256

STREAMS = "streams"
"""The first segment of every stream's key, and of no object's."""

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


class MissingObjectError(Exception):
    """No object has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the store has no object {key!r}")


class ObjectConflictError(Exception):
    """Another object with other bytes has this key already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the object {key!r} stands in the store with other bytes")


class StreamGapError(Exception):
    """Bytes were to be appended behind the end of their stream; nothing was written."""

    def __init__(self, stream: str, end: int, offset: int) -> None:
        super().__init__(f"the stream {stream!r} ends at {end}, before the offset {offset}")
        self.stream = stream
        self.end = end
        self.offset = offset


class StoreUnavailableError(OSError):
    """The store could not be asked, or refused; the same call may succeed later."""


def sha256(data: bytes) -> Sha256:
    """Name bytes by their content."""
    return Sha256(hashlib.sha256(data).hexdigest())


def plain_key(key: str) -> str:
    """Return the key, which must be a path of plain segments.

    Raises:
        ValueError: it could leave the store or clash with the store's own files.
    """
    if not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        message = f"the store key {key!r} is not a path of plain segments"
        raise ValueError(message)
    return key


def object_key(key: str) -> str:
    """Return a key that may name an object.

    Raises:
        ValueError: it is not plain, or belongs to the streams.
    """
    if plain_key(key).partition("/")[0] == STREAMS:
        message = f"the store key {key!r} belongs to the streams, no object can have it"
        raise ValueError(message)
    return key


def stream_name(key: str) -> str:
    """Return a key that may name a stream.

    Raises:
        ValueError: it is not plain, or does not belong to the streams.
    """
    if not re.fullmatch(rf"{STREAMS}/[^/]+/[^/]+", plain_key(key)):
        message = f"the store key {key!r} names no stream, it must be {STREAMS}/<folder>/<name>"
        raise ValueError(message)
    return key


class Store(ABC):
    """Immutable objects, and streams of bytes that only grow.

    The methods block for as long as the storage takes; the `…_async` ones do the same in a thread.
    All of them may be repeated, and called from several threads and processes at once. Each raises
    ValueError for an impossible key, and OSError when the storage cannot be asked or refuses.
    """

    @property
    @abstractmethod
    def append_seconds(self) -> float:
        """Appends to one stream shall not be closer together than this."""

    @abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Create an object, whole and durably; False when it stands already with the same bytes.

        Raises:
            ObjectConflictError: the key stands with other bytes.
        """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            MissingObjectError: nothing has this key.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Tell whether an object stands."""

    @abstractmethod
    def list(self, folder: str, beginning: str = "") -> list[str]:
        """Return the sorted keys directly in a folder whose names begin so; none without a folder.

        They are the keys of objects, of streams (in a folder of the streams) and of folders.
        """

    @abstractmethod
    def append(self, stream: str, offset: int, data: bytes) -> int:
        """Write bytes of a stream, durably, and return the end of what is known to stand.

        Bytes before the end may come again, and two writers may be at work at once: whoever writes
        a byte of a stream writes the same one, so neither changes anything.

        Args:
            stream: `streams/<folder>/<name>`; it begins to exist with its first byte.
            offset: where the first of the bytes belongs; at most the stream's end.
            data: as many bytes as one likes.

        Raises:
            StreamGapError: the offset lies behind the end; nothing is written.
            OSError: some of the bytes may stand; the same call finishes the work.
        """

    @abstractmethod
    def stream_end(self, stream: str) -> int:
        """Return how many bytes stand without a gap; 0 when the stream has not begun."""

    @abstractmethod
    def read_stream(self, stream: str, offset: int, limit: int) -> bytes:
        """Return at most `limit` bytes from the offset on.

        They may be fewer, so ask again behind them. None are only returned at the end, and behind.
        """

    async def create_async(self, key: str, data: bytes) -> bool:
        """Do `create` in a thread."""
        return await asyncio.to_thread(self.create, key, data)

    async def read_async(self, key: str) -> bytes:
        """Do `read` in a thread."""
        return await asyncio.to_thread(self.read, key)

    async def append_async(self, stream: str, offset: int, data: bytes) -> int:
        """Do `append` in a thread."""
        return await asyncio.to_thread(self.append, stream, offset, data)

    async def stream_end_async(self, stream: str) -> int:
        """Do `stream_end` in a thread."""
        return await asyncio.to_thread(self.stream_end, stream)

    async def read_stream_async(self, stream: str, offset: int, limit: int) -> bytes:
        """Do `read_stream` in a thread."""
        return await asyncio.to_thread(self.read_stream, stream, offset, limit)
