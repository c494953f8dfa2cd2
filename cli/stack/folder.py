"""The data folder of a stack: who owns it, on which ports, and what runs in it."""

import contextlib
import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from cli.problems import CliProblem
from cli.stack import space
from runtime.settings import TokenError
from workflows.contract.base import Frozen
from workflows.contract.problems import Code

LOCK_PATIENCE_SECONDS = 0.5
"""A look at the lock holds it for an instant; an owner waits that out."""

POLL_SECONDS = 0.02


class StackRecord(Frozen):
    """A running stack, kept in `stack.json` from readiness to the stop."""

    pid: int
    """The supervisor."""

    gateway_url: str
    temporal_address: str
    started_at: datetime
    processes: dict[str, int]
    """Process id by name; follows every restart."""

    metrics: dict[str, str] = Field(default_factory=dict)
    """Address of a process's metrics by its name; none without metrics."""


@contextlib.contextmanager
def using(home: Path) -> Iterator[None]:
    """Use the data folder in this block.

    Raises:
        CliProblem: the disk or the file system refuses (`data_folder`).
    """
    try:
        yield
    except TokenError as error:
        detail = f"the file {error.filename!r} {error.strerror}"
        raise CliProblem(Code.DATA_FOLDER, detail, f"rm {error.filename}") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise CliProblem(
            Code.DATA_FOLDER,
            f"the data folder {str(home)!r} cannot be used: {error.strerror}",
            space.cure(home) if full else "set OVERNIGHT_HOME to a folder you may write to",
        ) from error


def prepare(home: Path) -> None:
    """Create the data folder and make it readable by its owner only.

    Raises:
        CliProblem: it cannot be used, or its disk has no room for a stack.
    """
    with using(home):
        for folder in (home, home / "logs", home / "run"):
            folder.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        short = space.shortage(home)
    if short:
        detail = f"the data folder {str(home)!r} cannot be used: {short}"
        raise CliProblem(Code.DATA_FOLDER, detail, space.cure(home))


@contextlib.contextmanager
def owned(home: Path) -> Iterator[None]:
    """Hold the folder's lock; it ends with this process, however that ends.

    Raises:
        CliProblem: another stack holds it (`stack_running`).
    """
    with using(home):
        descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked(descriptor, patience_seconds=LOCK_PATIENCE_SECONDS):
            raise _already_running(home)
        with using(home):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def owner(home: Path) -> int | None:
    """Return the process id of the supervisor that holds the folder; none when nobody does.

    Raises:
        CliProblem: the folder cannot be looked into.
    """
    try:
        with using(home):
            descriptor = os.open(home / "lock", os.O_RDONLY)
    except CliProblem as problem:
        if isinstance(problem.__cause__, FileNotFoundError | NotADirectoryError):
            return None
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)


def read_record(home: Path) -> StackRecord | None:
    """Return the running and ready stack of this folder; a record whose owner is gone is none."""
    try:
        record = StackRecord.model_validate_json((home / "stack.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    return record if owner(home) == record.pid else None


def write_atomically(path: Path, text: str) -> None:
    """Replace a private file (mode 0600) at once; a reader sees the old text or the new."""
    pending = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    pending.replace(path)


def _locked(descriptor: int, *, patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        else:
            return True


def _already_running(home: Path) -> CliProblem:
    pid = owner(home)
    record = read_record(home)
    where = f" at {record.gateway_url}" if record else ""
    return CliProblem(
        Code.STACK_RUNNING,
        f"a stack already runs in {str(home)!r}{where} (pid {pid or 'unknown'})",
    )
