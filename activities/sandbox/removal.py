"""Removing a folder that hostile programs filled: any names, modes, links and depth."""

import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST_FOLDERS = 100_000
"""So many names are held at most; of a folder with more the rest is read again."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything below it; what is gone already is fine.

    Follows no link. Subfolders are moved to the top before they are emptied, so neither depth nor
    the length of paths matters. No process may be working in the folder. Raises `OSError`.
    """
    try:
        top = _open(os.fspath(folder), None)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        folder.unlink(missing_ok=True)
        return
    # Unguessable, so that no name in the tree is in the way of a folder moved up.
    moved = (f"{secrets.token_hex(8)}-{number}" for number in itertools.count())
    try:
        while folders := _empty(top):
            for name in folders:
                inner = _open(name, top)
                try:
                    while below := _empty(inner):
                        _move_all(below, inner, top, moved)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _move_all(names: list[str], above: int, top: int, moved: Iterator[str]) -> None:
    for name in names:
        # Moving a folder changes its `..`, which takes the right to write to it.
        os.close(_open(name, above))
        os.rename(name, next(moved), src_dir_fd=above, dst_dir_fd=top)


def _empty(folder: int) -> list[str]:
    """Remove files of a folder and return the names of its first folders; none when it is empty.

    Holds no list of the files: there may be more than there is memory for.
    """
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    os.unlink(entry.name, dir_fd=folder)
            elif len(folders) < MOST_FOLDERS:
                folders.append(entry.name)
    return folders


def _open(name: str, above: int | None) -> int:
    """Open a folder after giving its owner all rights."""
    # Only a path descriptor can be had of a folder with mode 000, and only through /proc changed.
    handle = os.open(name, _FOLDER | os.O_PATH, dir_fd=above)
    try:
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
        return os.open(".", _FOLDER, dir_fd=handle)
    finally:
        os.close(handle)
