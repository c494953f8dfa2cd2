"""The files of the workspace, reached by paths that cannot leave it.

The kernel resolves every path beneath the workspace's descriptor (openat2), so no link and no race
with a running command leads outside. Commands may still change the workspace meanwhile.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from activities.sandbox.inside import linux

MAX_FILE_BYTES = 10 * 1024 * 1024
"""Larger files are not viewed, edited or written; a command can still work on them."""

READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
FOLDER = os.O_RDONLY | os.O_DIRECTORY


class FileProblemError(Exception):
    """The file cannot be used as asked; the message is for the model."""


class Found(NamedTuple):
    """A regular file's content and permission bits."""

    content: bytes
    mode: int


class Workspace:
    """A folder that paths stay beneath."""

    def __init__(self, path: str) -> None:
        self._path = path.rstrip("/")
        self._root = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def relative(self, path: str) -> str:
        """Return a path as seen from the workspace; raises `FileProblemError` on one outside."""
        if "\0" in path:
            message = "the path contains a NUL character"
            raise FileProblemError(message)
        inside = path.removeprefix(self._path + "/") if path != self._path else "."
        if inside.startswith("/"):
            raise _leaves(path)
        return inside.rstrip("/") or "."

    def list_folder(self, path: str) -> list[str] | None:
        r"""Return a folder's entries sorted, folders with a `/`; None when it is not a folder.

        Bytes of a name that are no UTF-8 are written as in Python and in bash: `\xe9`.
        """
        with explained(path):
            try:
                folder = linux.open_beneath(self._root, path, FOLDER)
            except NotADirectoryError:
                return None
            try:
                with os.scandir(folder) as entries:
                    return sorted(
                        _shown(entry.name) + ("/" if entry.is_dir(follow_symlinks=False) else "")
                        for entry in entries
                    )
            finally:
                os.close(folder)

    def read(self, path: str) -> bytes:
        """Return the content of a regular file, links followed within the workspace."""
        with explained(path):
            return _read_regular(linux.open_beneath(self._root, path, READ), path).content

    @contextmanager
    def parent(self, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
        """Open the folder a file is in, made first if asked; gives its descriptor and the name."""
        above, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            message = f"{path!r} is a folder, not a file"
            raise FileProblemError(message)
        with explained(path):
            if make:
                self._make_folders(above)
            folder = linux.open_beneath(self._root, above or ".", FOLDER)
        try:
            yield folder, name
        finally:
            os.close(folder)

    def _make_folders(self, path: str) -> None:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for depth, name in enumerate(parts):
            above = "/".join(parts[:depth]) or "."
            folder = linux.open_beneath(self._root, above, FOLDER)
            try:
                if name != "..":
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o755, dir_fd=folder)
            finally:
                os.close(folder)


def read_in(folder: int, name: str) -> Found | None:
    """Return a regular file of a folder, None when there is none; links are refused."""
    with explained(name):
        try:
            descriptor = linux.open_beneath(folder, name, READ | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as problem:
            if problem.errno == errno.ELOOP:
                message = f"{name!r} is a symbolic link; change the file it points to"
                raise FileProblemError(message) from problem
            raise
        return _read_regular(descriptor, name)


def replace_in(folder: int, name: str, content: bytes, mode: int) -> None:
    """Put a file with this content in place at once and durably."""
    with explained(name):
        _replace_in(folder, name, content, mode)


def _replace_in(folder: int, name: str, content: bytes, mode: int) -> None:
    temporary = ".overnight-change.tmp"  # one thread makes all changes; one left over is in the way
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        linux.write_all(descriptor, content)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)
    os.fsync(folder)


def _shown(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")


def _read_regular(descriptor: int, path: str) -> Found:
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISDIR(status.st_mode):
            message = f"{path!r} is a folder"
            raise FileProblemError(message)
        if not stat.S_ISREG(status.st_mode):
            message = f"{path!r} is not a regular file"
            raise FileProblemError(message)
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        message = f"{path!r} is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB; use a command"
        raise FileProblemError(message)
    return Found(content, stat.S_IMODE(status.st_mode))


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what the system says of a path into a `FileProblemError`, if a model can use it."""
    try:
        yield
    except OSError as problem:
        raise _explain(problem, path) from problem


def _explain(problem: OSError, path: str) -> Exception:
    if problem.errno == errno.EXDEV:
        return _leaves(path)
    reasons = {
        errno.ENOENT: "does not exist",
        errno.ENOTDIR: "leads through something that is not a folder",
        errno.ELOOP: "goes through a link that may not be followed",
        errno.EACCES: "may not be accessed",
        errno.ENXIO: "is not a regular file",
        errno.ENAMETOOLONG: "is too long",
        errno.EISDIR: "is a folder",
    }
    reason = reasons.get(problem.errno or 0)
    return FileProblemError(f"{path!r} {reason}") if reason else problem


def _leaves(path: str) -> FileProblemError:
    return FileProblemError(f"{path!r} leaves the workspace; only files inside it can be used")
