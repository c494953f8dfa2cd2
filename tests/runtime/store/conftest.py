"""Stores of both kinds, in a folder and on a real S3 server."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.store.base import Store
from runtime.store.folder import FolderStore
from runtime.store.objects import ObjectStore
from tests import bucket

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
    with bucket.serving() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        # Else it takes a thousand objects to see a second page.
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(LISTED_AT_ONCE))
        yield bucket.URL


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(tmp_path / "store", None)
    return Place(tmp_path, f"{request.getfixturevalue('s3')}/of/{uuid.uuid4().hex}")


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()
