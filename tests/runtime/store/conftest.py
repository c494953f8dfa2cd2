"""A real S3 server on the loopback interface, and stores in it."""

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from moto.server import ThreadedMotoServer

from runtime.store.base import Store
from runtime.store.folder import FolderStore
from runtime.store.objects import ObjectStore

LISTED_AT_ONCE = 50


class Place:
    """Where one test keeps its bytes; every store opened here is another process's view of it."""

    def __init__(self, folder: Path, bucket: str | None) -> None:
        self._folder = folder
        self._bucket = bucket

    def open(self) -> Store:
        return FolderStore(self._folder) if self._bucket is None else ObjectStore(self._bucket)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of a bucket, with the provider's variables set."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    httpx2.put(f"{endpoint}/bucket").raise_for_status()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "id")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        # Else it takes a thousand objects to see a second page.
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(LISTED_AT_ONCE))
        yield "s3://bucket"
    server.stop()


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(tmp_path / "store", None)
    return Place(tmp_path, f"{request.getfixturevalue('s3')}/of/{uuid.uuid4().hex}")


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()
