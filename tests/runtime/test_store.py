"""Immutable objects in a folder."""

import asyncio
from pathlib import Path

import pytest

from runtime.store import MissingObjectError, ObjectConflictError, Store


def test_an_object_is_created_once(store: Store) -> None:
    """The same bytes again are no conflict, others are, and the first ones stay."""
    assert store.create("a/b", b"one")
    assert not store.create("a/b", b"one")
    with pytest.raises(ObjectConflictError, match="'a/b'"):
        store.create("a/b", b"two")
    assert store.read("a/b") == b"one"


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
    assert store.read("race/x") == str(won.index(True)).encode()


def test_a_folder_is_listed_in_order(store: Store) -> None:
    """Only what lies directly in it and begins as asked; an absent folder is empty."""
    for key in ("l/2-b", "l/1-a", "l/2-a", "other/2-c"):
        store.create(key, b"")
    assert store.list("l") == ["l/1-a", "l/2-a", "l/2-b"]
    assert store.list("l", "2-") == ["l/2-a", "l/2-b"]
    assert store.list("nowhere") == []


@pytest.mark.parametrize(
    "key", ["", "/a", "a//b", "../a", "a/..", ".hidden", "a/\0", "a b", "a/" + "x" * 300, "a\n"]
)
def test_a_key_is_a_path_of_plain_segments(store: Store, key: str) -> None:
    """Nothing can leave the folder or clash with the store's own files."""
    with pytest.raises(ValueError, match="plain segments"):
        store.create(key, b"x")


def test_nothing_half_written_is_ever_seen(store: Store, tmp_path: Path) -> None:
    """What a crash left in the staging folder is no object."""
    store.create("a/b", b"whole")
    staging = tmp_path / "store" / ".staging"
    (staging / "left").write_bytes(b"ha")
    assert store.list("a") == ["a/b"]
    assert [path.name for path in staging.iterdir()] == ["left"]
