"""Linux calls that Python's library lacks, the process table, and durable small files.

Used by everything inside the box; knows nothing of commands or requests.
"""

import ctypes
import errno
import os
import signal
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36

SYS_OPENAT2 = 437  # the same number on every architecture, from Linux 5.6 on
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_BENEATH = 0x08

OPEN_ATTEMPTS = 32
"""openat2 answers EAGAIN when a rename somewhere raced with a `..`; that many tries."""


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process; raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def open_beneath(root: int, path: str, flags: int, mode: int = 0) -> int:
    """Open a path that never leaves the folder `root`, by whatever links it goes.

    Raises `OSError`: EXDEV when the path leaves the folder, ELOOP on a magic link.
    """
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        message = "the path contains a NUL character"
        raise ValueError(message)
    how = _OpenHow(flags | os.O_CLOEXEC, mode, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    libc = ctypes.CDLL(None, use_errno=True)
    for _ in range(OPEN_ATTEMPTS):
        descriptor: int = libc.syscall(
            ctypes.c_long(SYS_OPENAT2),
            ctypes.c_int(root),
            ctypes.c_char_p(encoded or b"."),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if descriptor >= 0:
            return descriptor
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            break
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), path)


def living_children() -> dict[int, list[int]]:
    """Map each process to its children, zombies left out."""
    table: dict[int, list[int]] = {}
    with os.scandir("/proc") as entries:
        pids = [entry.name for entry in entries if entry.name.isdecimal()]
    for pid in pids:
        stat = _read_stat(pid)
        if stat is not None and stat[0] not in (b"Z", b"X"):
            table.setdefault(int(stat[1]), []).append(int(pid))
    return table


def _read_stat(pid: str) -> list[bytes] | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # pathlib costs start time
            # The name in parentheses may itself hold parentheses and spaces.
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return None


def descendants(table: dict[int, list[int]], root: int) -> list[int]:
    """List everything below a process, parents before children."""
    found: list[int] = []
    queue = [root]
    while queue:
        below = table.get(queue.pop(), [])
        found += below
        queue += below
    return found


def kill_all(pids: list[int]) -> None:
    """Send SIGKILL to each process that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def write_durably(folder: int, name: str, content: bytes) -> None:
    """Replace a file of a folder at once and durably: after the return it survives power loss."""
    temporary = f".{name}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte, in as many calls as it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_if_there(folder: int, name: str) -> bytes | None:
    """Return a file's bytes, or None when there is no such file."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def open_folder(folder: int, name: str) -> int:
    """Open a folder inside a folder, made when it is missing."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(name, flags, dir_fd=folder)
