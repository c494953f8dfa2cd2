"""A store in a bucket: an object is an object, a stream is a chain of them.

A piece of a stream is the object `<stream>/<its first offset, 20 digits>`, created only if absent.
So of two writers that cut a stream differently only one can go on at an offset; the other finds
out, looks where the stream ends by now and goes on there. Pieces neither overlap nor leave gaps.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from runtime.store.base import (
    STREAMS,
    MissingObjectError,
    ObjectConflictError,
    Store,
    StoreUnavailableError,
    StreamGapError,
    object_key,
    plain_key,
    stream_name,
)
from runtime.store.bucket import Bucket
from runtime.store.pieces import Piece, Pieces, Recent

PIECE_BYTES = 4 * 1024 * 1024
"""A larger append makes several pieces."""

KNOWN_STREAMS = 64
KEPT_BYTES = 32 * 1024 * 1024
"""Of the pieces read last, so many bytes are kept: a follower reads each piece bit by bit."""

FETCHES = 8
READ_PIECES = 32
"""One read takes at most so many pieces, `FETCHES` at a time."""


class ObjectStore(Store):
    """Objects and streams in a bucket of S3, Google Cloud Storage or Azure Blob Storage.

    Every call asks the bucket, but for reads of pieces that are remembered. What is unreachable or
    refused raises StoreUnavailableError. `create` may answer False to the very caller that made
    the object, after an answer was lost.
    """

    def __init__(self, url: str) -> None:
        self._bucket = Bucket(url)
        self._known: Recent[str, Pieces] = Recent(KNOWN_STREAMS)
        self._kept: Recent[str, bytes] = Recent(KEPT_BYTES)
        self._fetching = ThreadPoolExecutor(FETCHES, thread_name_prefix="store")

    @property
    def append_seconds(self) -> float:
        """Each append is a request that is paid for, and an object that readers fetch."""
        return 0.25

    def create(self, key: str, data: bytes) -> bool:
        """Create an object if there is none."""
        if self._bucket.create(object_key(key), data):
            return True
        if self._bucket.read(key) != data:
            raise ObjectConflictError(key)
        return False

    def read(self, key: str) -> bytes:
        """Fetch an object."""
        data = self._bucket.read(object_key(key))
        if data is None:
            raise MissingObjectError(key)
        return data

    def exists(self, key: str) -> bool:
        """Ask for an object's head."""
        return self._bucket.exists(object_key(key))

    def list(self, folder: str, beginning: str = "") -> list[str]:
        """List a folder; with a beginning, from there on only."""
        first, _, deeper = plain_key(folder).partition("/")
        if first == STREAMS and "/" in deeper:
            return []  # it is a stream, and what lies in it are pieces
        if beginning:
            depth = folder.count("/") + 2
            # Names behind a key: all that begin so lie behind what is one character shorter.
            found = self._bucket.sizes(folder, after=f"{folder}/{beginning[:-1]}")
            keys = {"/".join(key.split("/")[:depth]) for key in found}
        else:
            keys = set(self._bucket.names(folder))
        return sorted(key for key in keys if key.startswith(f"{folder}/{beginning}"))

    def append(self, stream: str, offset: int, data: bytes) -> int:
        """Add pieces at the end, for those bytes that do not stand yet."""
        pieces = self._known.get(stream_name(stream))
        if pieces is None or offset > pieces.end:
            pieces = self._look(stream)
        if offset > pieces.end:
            raise StreamGapError(stream, pieces.end, offset)
        rest = memoryview(data)
        while (start := pieces.end) < offset + len(data):
            body = rest[start - offset :][:PIECE_BYTES]
            if self._bucket.create(_piece_key(stream, start), body):
                pieces.add(Piece(start, start + len(body)))
                continue
            pieces = self._look(stream)
            if pieces.end <= start:
                message = f"{_piece_key(stream, start)!r} stands in the store but is not listed"
                raise StoreUnavailableError(message)
        return pieces.end

    def stream_end(self, stream: str) -> int:
        """List the pieces that are not known yet."""
        return self._look(stream_name(stream)).end

    def read_stream(self, stream: str, offset: int, limit: int) -> bytes:
        """Join the pieces at an offset; list again only behind those that are known."""
        pieces = self._known.get(stream_name(stream))
        if pieces is None or offset >= pieces.end:
            pieces = self._look(stream)
        wanted = pieces.covering(offset, offset + limit, most=READ_PIECES)
        return b"".join(self._parts(stream, wanted, offset))[:limit]

    def _look(self, stream: str) -> Pieces:
        pieces = self._known.get(stream) or Pieces()
        last = pieces.last_start
        after = None if last is None else _piece_key(stream, last)
        found = self._bucket.sizes(stream, after=after)
        for key in sorted(found):
            start = int(key.rpartition("/")[2])
            if not pieces.add(Piece(start, start + found[key])):
                break
        self._known.keep(stream, pieces)
        return pieces

    def _parts(self, stream: str, wanted: Sequence[Piece], offset: int) -> Iterator[bytes]:
        keys = [_piece_key(stream, piece.start) for piece in wanted]
        # A follower wants one piece, mostly, and that one is kept, mostly.
        fetched = self._fetching.map(self._fetch, keys) if len(keys) > 1 else map(self._fetch, keys)
        for piece, data in zip(wanted, fetched, strict=True):
            yield data[offset - piece.start :]
            offset = piece.end

    def _fetch(self, key: str) -> bytes:
        data = self._kept.get(key)
        if data is None:
            data = self._bucket.read(key)
            if data is None:
                message = f"{key!r} stood in the store and is gone"
                raise StoreUnavailableError(message)
            self._kept.keep(key, data, len(data))
        return data


def _piece_key(stream: str, start: int) -> str:
    return f"{stream}/{start:020}"
