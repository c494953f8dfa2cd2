"""A store in a local, synced folder: an object is a file, and so is a stream."""

import os
import secrets
from pathlib import Path

from runtime.store.base import (
    MissingObjectError,
    ObjectConflictError,
    Store,
    StreamGapError,
    object_key,
    plain_key,
    stream_name,
)


class FolderStore(Store):
    """Objects and streams as files of one folder, which all processes of a stack share.

    A synced create or append takes about 1 ms.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staging = folder / ".staging"

    @property
    def append_seconds(self) -> float:
        """A file takes appends as often as there are any."""
        return 0.0

    def create(self, key: str, data: bytes) -> bool:
        """Create an object's file, synced with its folder."""
        path = self._folder / object_key(key)
        if path.exists():
            return _confirm(path, key, data)
        _make_folder(path.parent)
        self._staging.mkdir(parents=True, exist_ok=True)
        pending = self._staging / secrets.token_hex(12)
        try:
            with pending.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(pending, path)
        except FileExistsError:
            return _confirm(path, key, data)
        finally:
            pending.unlink(missing_ok=True)
        _sync_folder(path.parent)
        return True

    def read(self, key: str) -> bytes:
        """Read an object's file."""
        try:
            return (self._folder / object_key(key)).read_bytes()
        except FileNotFoundError as error:
            raise MissingObjectError(key) from error

    def exists(self, key: str) -> bool:
        """Look for an object's file."""
        return (self._folder / object_key(key)).exists()

    def list(self, folder: str, beginning: str = "") -> list[str]:
        """Name the files and folders in a folder."""
        path = self._folder / plain_key(folder)
        try:
            found = os.listdir(path)  # noqa: PTH208  # names suffice, and are faster
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(f"{folder}/{name}" for name in found if name.startswith(beginning))

    def append(self, stream: str, offset: int, data: bytes) -> int:
        """Write into a stream's file, synced; its folder is synced before its first byte."""
        end = self.stream_end(stream)
        if offset > end:
            raise StreamGapError(stream, end, offset)
        if not data:
            return end
        path = self._folder / stream
        _make_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            if end == 0:
                # Whoever made the file may have died before it synced the folder.
                _sync_folder(path.parent)
            _write_all(descriptor, data, offset)
            os.fdatasync(descriptor)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def stream_end(self, stream: str) -> int:
        """Return the size of a stream's file."""
        try:
            return (self._folder / stream_name(stream)).stat().st_size
        except FileNotFoundError:
            return 0

    def read_stream(self, stream: str, offset: int, limit: int) -> bytes:
        """Read a stream's file."""
        try:
            descriptor = os.open(self._folder / stream_name(stream), os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(descriptor, limit, offset)
        finally:
            os.close(descriptor)


def _confirm(path: Path, key: str, data: bytes) -> bool:
    if path.read_bytes() != data:
        raise ObjectConflictError(key)
    return False


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    # Never O_APPEND: with it Linux writes at the end, whatever the offset.
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def _make_folder(folder: Path) -> None:
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
