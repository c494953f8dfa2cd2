"""Bytes that must outlive every process: immutable objects in a local, synced folder.

A key is a relative path of plain segments. An object is created whole or not at all, is synced
with its folder before `create` returns, and is never changed. Used by activities and gateway.
"""

import asyncio
import hashlib
import os
import re
import secrets
from pathlib import Path

from workflows.contract.base import Sha256

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


class MissingObjectError(Exception):
    """No object has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the store has no object {key!r}")


class ObjectConflictError(Exception):
    """Another object with other bytes has this key already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the object {key!r} stands in the store with other bytes")


def sha256(data: bytes) -> Sha256:
    """Name bytes by their content."""
    return Sha256(hashlib.sha256(data).hexdigest())


class Store:
    """A folder of immutable objects.

    The methods block for as long as the disk takes (a synced create: about 1 ms);
    the `…_async` ones do the same in a thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staging = folder / ".staging"

    def create(self, key: str, data: bytes) -> bool:
        """Create an object, durably; False when it stands already with the same bytes.

        Raises:
            ObjectConflictError: the key stands with other bytes.
        """
        path = self._path(key)
        if path.exists():
            return self._confirm(path, key, data)
        self._make_folder(path.parent)
        self._staging.mkdir(parents=True, exist_ok=True)
        pending = self._staging / secrets.token_hex(12)
        try:
            with pending.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(pending, path)
        except FileExistsError:
            return self._confirm(path, key, data)
        finally:
            pending.unlink(missing_ok=True)
        _sync_folder(path.parent)
        return True

    def read(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            MissingObjectError: nothing has this key.
        """
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise MissingObjectError(key) from error

    def exists(self, key: str) -> bool:
        """Tell whether an object stands."""
        return self._path(key).exists()

    def list(self, folder: str, beginning: str = "") -> list[str]:
        """Return a folder's sorted keys whose names begin so; none when there is no folder."""
        try:
            found = os.listdir(self._path(folder))  # noqa: PTH208  # names suffice, and are faster
        except FileNotFoundError:
            return []
        return sorted(f"{folder}/{name}" for name in found if name.startswith(beginning))

    async def create_async(self, key: str, data: bytes) -> bool:
        """Do `create` in a thread."""
        return await asyncio.to_thread(self.create, key, data)

    async def read_async(self, key: str) -> bytes:
        """Do `read` in a thread."""
        return await asyncio.to_thread(self.read, key)

    def _path(self, key: str) -> Path:
        segments = key.split("/")
        if not all(_SEGMENT.fullmatch(segment) for segment in segments):
            message = f"the store key {key!r} is not a path of plain segments"
            raise ValueError(message)
        return self._folder.joinpath(*segments)

    def _confirm(self, path: Path, key: str, data: bytes) -> bool:
        if path.read_bytes() != data:
            raise ObjectConflictError(key)
        return False

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
