"""Messages of output, read and packed once for all clients of a session that want them.

Clients of one session are mostly at the same place, so a few messages serve all: with 20 clients
that cost a third of the processor time (measured).
"""

from collections import OrderedDict
from typing import NamedTuple

from gateway.feed.live import OutputWindow
from gateway.feed.once import Once
from gateway.sessions.records import asking_store
from runtime.store.base import Store
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import stream_key
from workflows.contract.socket import OutputMessage

CHUNK_BYTES = 128 * 1024
"""Output per message: what a stalled client costs, and how long it can hold the others up."""

KEPT_CHUNKS = 32


class Chunk(NamedTuple):
    """A packed message and how many bytes of the log it carries."""

    message: bytes
    length: int


class _Place(NamedTuple):
    command: CommandId
    offset: int
    limit: int


class Chunks:
    """The newest messages of one session's output, at most 4 MiB."""

    def __init__(self, store: Store, session: SessionId) -> None:
        self._store = store
        self._session = session
        self._kept: OrderedDict[_Place, Chunk] = OrderedDict()
        self._making: Once[_Place, Chunk | None] = Once()

    async def get(
        self, command: CommandId, offset: int, end: int, window: OutputWindow | None
    ) -> Chunk | None:
        """Return the message that begins at an offset and goes no further than `end`.

        None when the store does not have those bytes; it does, of all that was shown.

        Raises:
            ProblemError: `store_unavailable`.
        """
        # Cut at the same places for all, so that those who catch up share them, too.
        limit = min(CHUNK_BYTES - offset % CHUNK_BYTES, end - offset)
        place = _Place(command, offset, limit)
        if place in self._kept:
            return self._kept[place]
        return await self._making.get(place, lambda: self._make(place, window))

    async def end(self, command: CommandId) -> int:
        """Return the length of a command's log in the store.

        Raises:
            ProblemError: `store_unavailable`.
        """
        with asking_store("read"):
            return await self._store.stream_end_async(stream_key(self._session, command))

    async def _make(self, place: _Place, window: OutputWindow | None) -> Chunk | None:
        data = window.since(place.offset, place.limit) if window is not None else None
        if not data:
            key = stream_key(self._session, place.command)
            with asking_store("read"):
                data = await self._store.read_stream_async(key, place.offset, place.limit)
        if not data:
            return None
        packed = OutputMessage(place.command, place.offset, data).pack()
        self._kept[place] = chunk = Chunk(packed, len(data))
        while len(self._kept) > KEPT_CHUNKS:
            self._kept.popitem(last=False)
        return chunk
