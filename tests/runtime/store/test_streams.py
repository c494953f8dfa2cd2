"""Streams of bytes that only grow, in a folder and in a bucket."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from runtime.store.base import Store, StreamGapError
from runtime.store.objects import PIECE_BYTES
from tests.runtime.store.conftest import LISTED_AT_ONCE, Place

STREAM = "streams/session/s1-0"
MIB = 1024 * 1024


def whole(store: Store, stream: str = STREAM, limit: int = 64 * 1024) -> bytes:
    parts = []
    offset = 0
    while part := store.read_stream(stream, offset, limit):
        assert len(part) <= limit
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def cut(rng: Random, data: bytes, largest: int) -> list[tuple[int, bytes]]:
    """Cut bytes at random, each piece with an overlap into what went before."""
    pieces = []
    end = 0
    while end < len(data):
        start = max(0, end - rng.choice((0, 0, rng.randrange(largest))))
        end = min(len(data), end + rng.randrange(1, largest))
        pieces.append((start, data[start:end]))
    return pieces


def test_a_stream_is_empty_before_its_first_byte(place: Place) -> None:
    """Nothing is there, nothing is listed, and adding nothing changes nothing."""
    store = place.open()
    assert store.stream_end(STREAM) == 0
    assert store.read_stream(STREAM, 0, 10) == b""
    assert store.append(STREAM, 0, b"") == 0
    assert store.list("streams/session") == []
    assert place.open().stream_end(STREAM) == 0


def test_a_stream_grows(place: Place) -> None:
    """What is appended can be read at once, by others too, from any offset."""
    writer, reader = place.open(), place.open()
    assert reader.read_stream(STREAM, 0, 10) == b""
    assert writer.append(STREAM, 0, b"hello ") == 6
    assert reader.read_stream(STREAM, 0, 10) == b"hello "
    assert writer.append(STREAM, 6, b"world") == 11
    assert reader.read_stream(STREAM, 6, 10) == b"world"
    assert reader.read_stream(STREAM, 4, 4) == b"o wo"
    assert reader.read_stream(STREAM, 4, 0) == b""
    assert reader.read_stream(STREAM, 11, 10) == b""
    assert reader.read_stream(STREAM, 5_000, 10) == b""
    assert reader.stream_end(STREAM) == 11


def test_a_gap_is_refused(place: Place) -> None:
    """The error says where the stream ends, and nothing was written."""
    store = place.open()
    with pytest.raises(StreamGapError, match="ends at 0") as first:
        store.append(STREAM, 1, b"x")
    assert (first.value.stream, first.value.end, first.value.offset) == (STREAM, 0, 1)
    assert store.list("streams/session") == []
    store.append(STREAM, 0, b"abc")
    for data in (b"x", b""):
        with pytest.raises(StreamGapError) as second:
            store.append(STREAM, 4, data)
        assert (second.value.end, second.value.offset) == (3, 4)
    assert whole(place.open()) == b"abc"


def test_bytes_may_come_again(place: Place) -> None:
    """A repetition, a part of one and one that goes on behind the end leave each byte once."""
    store = place.open()
    store.append(STREAM, 0, b"abcdef")
    assert store.append(STREAM, 0, b"abcdef") == 6
    assert store.append(STREAM, 2, b"cd") == 6
    assert store.append(STREAM, 6, b"") == 6
    assert store.append(STREAM, 4, b"efgh") == 8
    assert whole(place.open()) == b"abcdefgh"


def test_the_next_process_goes_on(place: Place) -> None:
    """One that knows nothing, and one that knows less than there is by now."""
    first, second = place.open(), place.open()
    first.append(STREAM, 0, b"abc")
    assert second.append(STREAM, 3, b"def") == 6
    assert second.append(STREAM, 6, b"ghi") == 9
    # Another cut, from where the first one stopped.
    assert first.append(STREAM, 3, b"defghijk") == 11
    assert second.append(STREAM, 11, b"l") == 12
    assert place.open().stream_end(STREAM) == 12
    assert whole(second) == b"abcdefghijkl"


@pytest.mark.parametrize("seed", range(4))
def test_two_writers_at_once_make_one_stream(place: Place, seed: int) -> None:
    """However differently they cut it, with a third that reads along."""
    rng = Random(seed)
    data = rng.randbytes(200_000)
    plans = [cut(Random(seed * 2 + each), data, 9_000 * (each + 1)) for each in range(2)]

    def write(plan: list[tuple[int, bytes]]) -> int:
        writer = place.open()
        return [writer.append(STREAM, start, piece) for start, piece in plan][-1]

    def follow() -> bytes:
        reader, seen = place.open(), b""
        while len(seen) < len(data):
            seen += reader.read_stream(STREAM, len(seen), 7_000)
        return seen

    with ThreadPoolExecutor(3) as pool:
        seen = pool.submit(follow)
        ends = list(pool.map(write, plans))
    assert ends == [len(data), len(data)]
    assert seen.result() == data
    assert whole(place.open()) == data


def test_threads_of_one_process_may_append_the_same(store: Store) -> None:
    """One store, many threads, each byte once."""
    data = Random(7).randbytes(50_000)
    plans = [cut(Random(each), data, 5_000) for each in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda plan: [store.append(STREAM, *piece) for piece in plan], plans))
    assert store.stream_end(STREAM) == len(data)
    assert whole(store) == data


@pytest.mark.parametrize("seed", range(3))
def test_any_part_can_be_read(place: Place, seed: int) -> None:
    """From any offset, up to any limit, in any order, by one that appends too."""
    rng = Random(seed)
    data = rng.randbytes(100_000)
    writer = place.open()
    for start, piece in cut(rng, data, 6_000):
        writer.append(STREAM, start, piece)
    for reader in (writer, place.open()):
        for _ in range(40):
            offset, limit = rng.randrange(len(data) + 100), rng.randrange(1, 20_000)
            part = reader.read_stream(STREAM, offset, limit)
            assert data[offset : offset + limit].startswith(part)
            assert bool(part) == (offset < len(data))


def test_much_can_be_appended(place: Place) -> None:
    """More than fits one piece, at once and bit by bit, also from an odd offset."""
    data = Random(1).randbytes(20 * MIB)
    store = place.open()
    middle = PIECE_BYTES + 12_345
    assert store.append(STREAM, 0, data[:middle]) == middle
    assert place.open().append(STREAM, middle - 100, data[middle - 100 :]) == len(data)
    assert whole(place.open(), limit=3 * MIB) == data
    assert whole(place.open(), limit=64 * MIB) == data


def test_many_pieces_are_followed(place: Place) -> None:
    """More appends than one read or one listing takes."""
    writer, reader = place.open(), place.open()
    data = b"".join(f"{number:03}".encode() for number in range(2 * LISTED_AT_ONCE + 20))
    seen = b""
    for offset in range(0, len(data), 3):
        writer.append(STREAM, offset, data[offset : offset + 3])
        if offset % 50 == 0:
            seen += reader.read_stream(STREAM, len(seen), MIB)
    assert data.startswith(seen)
    assert whole(reader) == data
    assert whole(place.open()) == data
    assert place.open().stream_end(STREAM) == len(data)


def test_streams_do_not_see_each_other(store: Store) -> None:
    """A name that begins another's is another; each is listed once in its folder."""
    store.append("streams/s/c1", 0, b"one")
    store.append("streams/s/c10", 0, b"ten")
    store.append("streams/t/c1", 0, b"other")
    store.append("streams/s/c1", 3, b"more")
    assert whole(store, "streams/s/c1") == b"onemore"
    assert whole(store, "streams/s/c10") == b"ten"
    assert store.list("streams/s") == ["streams/s/c1", "streams/s/c10"]
    assert store.list("streams") == ["streams/s", "streams/t"]
    assert store.list("streams/s", "c10") == ["streams/s/c10"]
    assert store.list("streams/s/c1") == []
    assert store.list("streams/s/c1/deeper") == []


@pytest.mark.parametrize("key", ["streams", "streams/a", "streams/a/b/c", "a/b/c", "other"])
def test_a_stream_has_a_streams_key(store: Store, key: str) -> None:
    """A folder and a name; so no stream lies in another, and none where objects are."""
    with pytest.raises(ValueError, match="names no stream"):
        store.append(key, 0, b"x")
    with pytest.raises(ValueError, match="names no stream"):
        store.stream_end(key)
    with pytest.raises(ValueError, match="names no stream"):
        store.read_stream(key, 0, 1)


async def test_a_stream_can_be_awaited(store: Store) -> None:
    """The same in a thread."""
    assert await store.append_async(STREAM, 0, b"abc") == 3
    assert await store.stream_end_async(STREAM) == 3
    assert await store.read_stream_async(STREAM, 1, 5) == b"bc"
