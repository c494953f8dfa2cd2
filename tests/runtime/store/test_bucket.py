"""What only the store in a bucket promises."""

import socket
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.settings import Settings
from runtime.store.base import Store, StoreUnavailableError
from runtime.store.bucket import Bucket
from runtime.store.folder import FolderStore
from runtime.store.objects import PIECE_BYTES, ObjectStore
from runtime.store.opening import open_store

STREAM = "streams/session/s1-0"


@pytest.fixture
def url(s3: str) -> str:
    return f"{s3}/{uuid.uuid4().hex}"


def every_call(store: Store) -> list[Callable[[], object]]:
    return [
        lambda: store.create("a/b", b"x"),
        lambda: store.read("a/b"),
        lambda: store.exists("a/b"),
        lambda: store.list("a"),
        lambda: store.list("a", "b"),
        lambda: store.append(STREAM, 0, b"x"),
        lambda: store.stream_end(STREAM),
        lambda: store.read_stream(STREAM, 0, 1),
    ]


def test_a_large_append_makes_several_pieces(url: str) -> None:
    """Named by where they start, in an order that a listing keeps."""
    ObjectStore(url).append(STREAM, 0, bytes(2 * PIECE_BYTES + 1))
    sizes = Bucket(url).sizes(STREAM)
    assert sizes == {
        f"{STREAM}/{0:020}": PIECE_BYTES,
        f"{STREAM}/{PIECE_BYTES:020}": PIECE_BYTES,
        f"{STREAM}/{2 * PIECE_BYTES:020}": 1,
    }


def test_a_hole_ends_a_stream(url: str) -> None:
    """What lies behind it counts once the hole is filled."""
    bucket = Bucket(url)
    bucket.create(f"{STREAM}/{0:020}", b"abc")
    bucket.create(f"{STREAM}/{5:020}", b"fgh")
    store = ObjectStore(url)
    assert store.stream_end(STREAM) == 3
    assert store.read_stream(STREAM, 0, 10) == b"abc"
    assert store.read_stream(STREAM, 5, 10) == b""
    assert store.append(STREAM, 3, b"de") == 5
    assert store.read_stream(STREAM, 0, 20) == b"abcde"
    assert store.stream_end(STREAM) == 8
    assert store.read_stream(STREAM, 0, 20) == b"abcdefgh"


def test_pieces_that_overlap_are_joined(url: str) -> None:
    """As a bucket without conditional writes may hold them."""
    bucket = Bucket(url)
    for start, end in ((0, 4), (2, 6), (3, 5), (6, 8)):
        bucket.create(f"{STREAM}/{start:020}", b"abcdefgh"[start:end])
    store = ObjectStore(url)
    assert store.stream_end(STREAM) == 8
    for offset in range(8):
        assert store.read_stream(STREAM, offset, 8) == b"abcdefgh"[offset:]


def test_a_follower_fetches_each_piece_once(url: str) -> None:
    """What it reads bit by bit is remembered: it needs no server any more."""
    ObjectStore(url).append(STREAM, 0, b"x" * 1_000)
    reader = ObjectStore(url)
    assert reader.read_stream(STREAM, 0, 10) == b"x" * 10
    _break(reader)
    assert b"".join(reader.read_stream(STREAM, at, 100) for at in range(0, 1_000, 100)) == (
        b"x" * 1_000
    )
    with pytest.raises(StoreUnavailableError):
        reader.read_stream(STREAM, 1_000, 10)


def test_a_bucket_that_is_not_there_is_said_so(s3: str) -> None:
    """No call takes it for one without objects."""
    store = ObjectStore(f"{s3}-of-nobody/prefix")
    for call in every_call(store):
        with pytest.raises(OSError, match="s3://bucket-of-nobody/prefix"):
            call()


def test_a_server_that_is_down_is_an_os_error(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call says which store, in one line and without what the request carried."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    for call in every_call(ObjectStore(f"{s3}/prefix")):
        with pytest.raises(StoreUnavailableError) as caught:
            call()
        assert str(caught.value).startswith("the store s3://bucket/prefix cannot be used: ")
        assert "\n" not in str(caught.value)
        assert "?" not in str(caught.value)


def test_a_bucket_that_cannot_be_named_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure's account comes from the environment and is missed at once."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreUnavailableError, match=r"az://container cannot be used: .*ccount"):
        ObjectStore("az://container")


def test_a_bucket_takes_appends_now_and_then(url: str) -> None:
    """Each is a request, so there shall not be too many."""
    assert ObjectStore(url).append_seconds == 0.25


@pytest.mark.parametrize("value", ["s3://bucket", "gs://b/p/q", "az://container/p/"])
def test_a_bucket_is_named_by_its_url(tmp_path: Path, value: str) -> None:
    """The three schemes, with or without a prefix."""
    assert Settings(home=tmp_path, store=value).store == value


@pytest.mark.parametrize(
    "value",
    ["bucket", "/folder", "file:///a", "s3://", "s3://a b", "s3://k:secret@a", "s3://a/../b",
     "s3://a//b", "s3://a?x=secret", "memory:///", "az://a/#1"],
)  # fmt: skip
def test_what_names_no_bucket_is_refused(tmp_path: Path, value: str) -> None:
    """The error says what would do."""
    with pytest.raises(ValueError, match="must be s3://bucket, gs://bucket or az://container"):
        Settings(home=tmp_path, store=value)


def test_the_settings_choose_the_store(tmp_path: Path, url: str) -> None:
    """A folder without a bucket's name, else the bucket."""
    for empty in (None, ""):
        assert isinstance(open_store(Settings(home=tmp_path, store=empty)), FolderStore)
    store = open_store(Settings(home=tmp_path, store=url))
    store.create("a/b", b"x")
    assert Bucket(url).read("a/b") == b"x"
    assert list(tmp_path.iterdir()) == []


def _break(store: ObjectStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        store._bucket = Bucket("s3://bucket")
