"""Locks between the activities of one host, gone with the process that holds them."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

POLL_SECONDS = 0.02


@asynccontextmanager
async def exclusive(path: Path) -> AsyncIterator[None]:
    """Hold the lock named by a file, which is removed afterwards; waits for as long as it takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = await _acquire(path)
    try:
        yield
    finally:
        _release(path, descriptor)


async def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _try(descriptor) and _is_named(descriptor, path):
            return descriptor
        os.close(descriptor)
        await asyncio.sleep(POLL_SECONDS)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _release(path: Path, descriptor: int) -> None:
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _is_named(descriptor: int, path: Path) -> bool:
    """Tell whether the file still has its name: the previous holder removed its own."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
