"""Immutable objects, in a folder and in a bucket."""

import asyncio

import pytest

from runtime.store.base import MissingObjectError, ObjectConflictError, Store
from tests.runtime.store.conftest import LISTED_AT_ONCE, Place


def test_an_object_is_created_once(store: Store) -> None:
    """The same bytes again are no conflict, others are, and the first ones stay."""
    assert store.create("a/b", b"one")
    assert not store.create("a/b", b"one")
    with pytest.raises(ObjectConflictError, match="'a/b'"):
        store.create("a/b", b"two")
    assert store.read("a/b") == b"one"
    assert store.exists("a/b")


def test_a_missing_object_is_named(store: Store) -> None:
    """Reading what is not there says which key."""
    assert not store.exists("a/b")
    with pytest.raises(MissingObjectError, match="'a/b'"):
        store.read("a/b")


async def test_of_many_creators_one_wins(store: Store) -> None:
    """All others learn that they did not, and everybody reads the same bytes."""

    async def create(number: int) -> bool:
        try:
            return await store.create_async("race/x", str(number).encode())
        except ObjectConflictError:
            return False

    won = await asyncio.gather(*(create(number) for number in range(20)))
    assert won.count(True) == 1
    assert await store.read_async("race/x") == str(won.index(True)).encode()


def test_an_empty_object_is_one(place: Place) -> None:
    """It stands, for others too, and reads as nothing."""
    place.open().create("a/empty", b"")
    assert place.open().exists("a/empty")
    assert place.open().read("a/empty") == b""


def test_a_large_object_is_whole(store: Store) -> None:
    """Also when it is written with patience."""
    data = bytes(range(256)) * (20 * 4096)
    assert store.create("bundles/large", data)
    assert store.read("bundles/large") == data
    assert not store.create("bundles/large", data)


def test_a_folder_is_listed_in_order(store: Store) -> None:
    """Only what lies directly in it and begins as asked; an absent folder is empty."""
    for key in ("l/2-b", "l/1-a", "l/2-a", "l/2x/deep/er", "l/20", "l/2", "other/2-c"):
        store.create(key, b"")
    assert store.list("l") == ["l/1-a", "l/2", "l/2-a", "l/2-b", "l/20", "l/2x"]
    assert store.list("l", "2-") == ["l/2-a", "l/2-b"]
    assert store.list("l", "2") == ["l/2", "l/2-a", "l/2-b", "l/20", "l/2x"]
    assert store.list("l", "2x") == ["l/2x"]
    assert store.list("l", "3") == []
    assert store.list("nowhere") == []
    assert store.list("nowhere", "2") == []


def test_a_long_folder_is_listed_whole(store: Store) -> None:
    """Also where a listing comes in pages."""
    keys = [f"long/{number:04}" for number in range(2 * LISTED_AT_ONCE + 3)]
    for key in keys:
        store.create(key, b"")
    assert store.list("long") == keys
    assert store.list("long", "00") == keys[:100]


@pytest.mark.parametrize(
    "key", ["", "/a", "a//b", "../a", "a/..", ".hidden", "a/\0", "a b", "a/" + "x" * 300, "a\n"]
)
def test_a_key_is_a_path_of_plain_segments(store: Store, key: str) -> None:
    """Nothing can leave the store or clash with the store's own files."""
    for ask in (lambda: store.create(key, b"x"), lambda: store.list(key)):
        with pytest.raises(ValueError, match="plain segments"):
            ask()


@pytest.mark.parametrize("key", ["streams", "streams/a", "streams/a/b", "streams/a/b/0"])
def test_no_object_has_a_streams_key(store: Store, key: str) -> None:
    """So none can hide a stream, or be taken for a part of one."""
    for ask in (
        lambda: store.create(key, b"x"),
        lambda: store.read(key),
        lambda: store.exists(key),
    ):
        with pytest.raises(ValueError, match="belongs to the streams"):
            ask()
