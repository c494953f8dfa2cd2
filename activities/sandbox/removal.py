"""Removing a folder that hostile programs filled: any names, modes, links and depth."""

import itertools
import os
import secrets
from contextlib import suppress
from pathlib import Path

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
                    for below in _empty(inner):
                        # Moving a folder changes its `..`, which takes the right to write to it.
                        os.close(_open(below, inner))
                        os.rename(below, next(moved), src_dir_fd=inner, dst_dir_fd=top)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _empty(folder: int) -> list[str]:
    """Remove all files of a folder and return the names of its folders."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]


def _open(name: str, above: int | None) -> int:
    """Open a folder after giving its owner all rights."""
    # Only a path descriptor can be had of a folder with mode 000, and only through /proc changed.
    handle = os.open(name, _FOLDER | os.O_PATH, dir_fd=above)
    try:
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
        return os.open(".", _FOLDER, dir_fd=handle)
    finally:
        os.close(handle)
