"""Putting things into a folder that hostile programs filled, without following what they left.

For what the host has a box find in its workspace or its home.
"""

import os
import secrets
from pathlib import Path

from activities.sandbox.inside import linux
from activities.sandbox.removal import remove_tree

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def place_file(folder: Path, content: bytes) -> str:
    """Write a new file into a folder and return its name, which nobody could guess before."""
    name = f"overnight-{secrets.token_hex(16)}"
    above = os.open(folder, _FOLDER)
    try:
        descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=above)
        try:
            linux.write_all(descriptor, content)
        finally:
            os.close(descriptor)
    finally:
        os.close(above)
    return name


def place_folder(source: Path, target: Path) -> None:
    """Move a folder to a place where no process works, instead of whatever is there."""
    remove_tree(target)
    source.rename(target)
