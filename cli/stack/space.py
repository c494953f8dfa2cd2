"""Whether the disk of the data folder has room: a full one makes databases fail without a word."""

import os
from pathlib import Path

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""With less, a stack is not started: its database and the first sandbox need as much."""

_MIB = 1024 * 1024


def shortage(folder: Path) -> str:
    """Say how little room the disk of a folder has; empty when it has enough, or does not tell."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return ""
    free = found.f_bavail * found.f_frsize
    if not found.f_blocks or free >= LEAST_FREE_BYTES:
        return ""
    return (
        f"its disk has {free / _MIB:.1f} MiB free, at least {LEAST_FREE_BYTES // _MIB} are needed"
    )


def cure(folder: Path) -> str:
    """Return what to do about a full disk."""
    return f"free space on the disk of {folder}, or set OVERNIGHT_HOME to a folder with more of it"
