"""Rows about the data folder and its disk; makes nothing but a file for a moment."""

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cli.doctor.probing import Probe
from runtime.settings import Settings
from workflows.contract.health import Row

GROUP = "data folder"

GIB = 1024**3
LITTLE_BYTES = 5 * GIB
TOO_LITTLE_BYTES = 1 * GIB
FEW_INODES = 100_000
TOO_FEW_INODES = 10_000

OTHERS = 0o077

NETWORK_KINDS = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4"}
    | {"fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "gpfs", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
"""File systems whose locks and syncs may be another machine's, or nobody's."""

_OCTAL = re.compile(r"\\([0-7]{3})")
"""How a space or a tab in a mount point is written."""

PASSING_KINDS = frozenset({"ramfs", "tmpfs"})


def probes(settings: Settings) -> list[Probe]:
    """Return what there is to look at."""
    home = settings.home
    return [
        Probe(GROUP, "folder", partial(_folder, home)),
        Probe(GROUP, "disk", partial(_disk, home)),
        Probe(GROUP, "file system", partial(_file_system, home)),
        Probe(GROUP, "token", partial(_token, settings)),
    ]


def _folder(home: Path) -> Iterator[Row]:
    cure = "set OVERNIGHT_HOME to a folder you may write to"
    nearest = _nearest(home)
    if nearest != home:
        if _takes_files(nearest):
            yield Row.ok("folder", f"{home} is made by the first `overnight up`")
        else:
            yield Row.fail("folder", f"{home} cannot be made in {nearest}", cure)
        return
    try:
        _write(home)
    except OSError as error:
        yield Row.fail("folder", f"{home} cannot be written to: {error.strerror}", cure)
        return
    yield _access(home)


def _write(home: Path) -> None:
    """Write, sync, lock and remove a file."""
    with tempfile.NamedTemporaryFile(dir=home, prefix=".doctor-") as file:
        file.write(b".")
        file.flush()
        os.fsync(file.fileno())
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _access(home: Path) -> Row:
    found = home.stat()
    if found.st_uid != os.geteuid():
        finding = f"{home} belongs to another user (uid {found.st_uid})"
        return Row.warn("folder", finding, "let the user own it who runs the stack")
    if found.st_mode & OTHERS:
        finding = f"{home} is open to other users (mode {stat.S_IMODE(found.st_mode):04o})"
        return Row.warn("folder", finding, f"chmod 700 {home}")
    return Row.ok("folder", f"{home}: written, synced and locked; yours alone")


def _disk(home: Path) -> Iterator[Row]:
    found = os.statvfs(_nearest(home))
    yield _free_bytes(found.f_bavail * found.f_frsize)
    # Some file systems make inodes as they need them, and count none.
    if found.f_files:
        yield _free_inodes(found.f_favail)


def _free_bytes(free: int) -> Row:
    finding = f"{free / GIB:.1f} GiB are free"
    cure = "free some: sessions keep mirrors, sandboxes and output there"
    if free < TOO_LITTLE_BYTES:
        return Row.fail("disk", finding, cure)
    return Row.warn("disk", finding, cure) if free < LITTLE_BYTES else Row.ok("disk", finding)


def _free_inodes(free: int) -> Row:
    finding = f"{free:,} are free"
    cure = "remove files, or choose another file system: sandboxes hold many small ones"
    if free < TOO_FEW_INODES:
        return Row.fail("inodes", finding, cure)
    return Row.warn("inodes", finding, cure) if free < FEW_INODES else Row.ok("inodes", finding)


def _file_system(home: Path) -> Iterator[Row]:
    mounts = Path("/proc/self/mountinfo").read_text(errors="replace")
    yield _kind_row(kind_of(mounts, _nearest(home).resolve()))


def _kind_row(kind: str) -> Row:
    cure = "set OVERNIGHT_HOME to a folder on a local disk"
    if kind in NETWORK_KINDS:
        finding = f"{kind} is shared with other machines: its locks and syncs may not hold"
        return Row.warn("file system", finding, cure)
    if kind in PASSING_KINDS:
        finding = f"{kind} is memory: all is gone when the machine stops"
        return Row.warn("file system", finding, cure)
    return Row.ok("file system", kind or "unknown")


def kind_of(mountinfo: str, path: Path) -> str:
    """Return the kind of the file system that a path lies on, by proc_pid_mountinfo(5)."""
    kinds: dict[int, str] = {}
    for line in mountinfo.splitlines():
        place, _, source = line.partition(" - ")
        point = Path(_OCTAL.sub(lambda escape: chr(int(escape[1], 8)), place.split()[4]))
        if path.is_relative_to(point):
            # Of two at one place, the later covers the earlier.
            kinds[len(point.parts)] = source.split()[0]
    return kinds[max(kinds)] if kinds else ""


def _token(settings: Settings) -> Iterator[Row]:
    path = settings.token_path
    try:
        found = path.stat()
    except OSError:
        # What is wrong with the folder, if anything is, its own row says.
        if _takes_files(_nearest(path)):
            yield Row.ok("token", f"{path} is made by the first `overnight up`")
        return
    if settings.token_file is None and found.st_mode & OTHERS:
        finding = f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o})"
        yield Row.fail("token", finding, f"chmod 600 {path}, then make a new one: remove it")
    else:
        yield Row.ok("token", f"{path} (mode {stat.S_IMODE(found.st_mode):04o})")


def _takes_files(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _nearest(path: Path) -> Path:
    """Return the path, or the first of its parents that exists."""
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path
