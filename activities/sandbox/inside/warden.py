"""The process between the supervisor and one command: it answers for the command's whole tree.

It is a subreaper, so daemons of the command become its children; when the command's first process
ends, the warden kills the rest and leaves with 0. It holds neither the state folder nor the socket.
"""

import os
import resource
import signal
import struct
from contextlib import suppress
from typing import NamedTuple, NoReturn

from activities.sandbox.inside import linux

STATUS = struct.Struct("=i")
"""What the warden reports: the wait status of the command's first process."""

STATUS_FD = 3
NICENESS = 10
"""Test suites must not starve what serves them."""

FAILED_BEFORE_EXEC = 126
_SHELLS = ("/bin/bash", "/usr/bin/bash", "/bin/sh")


class Task(NamedTuple):
    """What a command is."""

    shell: str
    cwd: str
    env: dict[str, str]


class Warden(NamedTuple):
    """A started warden and the supervisor's ends of its pipes."""

    pid: int
    status: int
    stdout: int
    stderr: int


class _OrphanedError(Exception):
    """The supervisor is gone; nobody is left to work for."""


def launch(task: Task) -> Warden:
    """Start a command under a warden; raises `OSError` when nothing could be started."""
    pipes: list[tuple[int, int]] = []
    try:
        pipes.extend(os.pipe2(os.O_CLOEXEC) for _ in range(3))
        supervisor = os.getpid()
        pid = os.fork()
    except OSError:
        for ends in pipes:
            _close(*ends)
        raise
    (status, status_in), (stdout, stdout_in), (stderr, stderr_in) = pipes
    if pid == 0:
        try:
            _be_warden(task, supervisor, (status_in, stdout_in, stderr_in))
        finally:
            os._exit(70)
    _close(status_in, stdout_in, stderr_in)
    for descriptor in (status, stdout, stderr):
        os.set_blocking(descriptor, False)
    return Warden(pid, status, stdout, stderr)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _be_warden(task: Task, supervisor: int, pipes: tuple[int, int, int]) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _on_orphaned)
    _arrange_descriptors(*pipes)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    # Only matters on the host: inside a box the end of PID 1 is the end of everything.
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:
        os._exit(1)
    with suppress(_OrphanedError):
        pid = os.fork()
        if pid == 0:
            try:
                _be_command(task)
            finally:
                os._exit(FAILED_BEFORE_EXEC)
        os.write(STATUS_FD, STATUS.pack(_wait_for(pid)))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _kill_the_rest()
    os._exit(0)


def _on_orphaned(_signal: int, _frame: object) -> NoReturn:
    raise _OrphanedError


def _arrange_descriptors(status: int, stdout: int, stderr: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    if status != STATUS_FD:
        os.dup2(status, STATUS_FD, inheritable=False)
    with os.scandir("/proc/self/fd") as entries:
        inherited = [int(entry.name) for entry in entries]
    for descriptor in inherited:
        if descriptor > STATUS_FD:
            with suppress(OSError):  # the listing's own descriptor is closed by now
                os.close(descriptor)


def _wait_for(pid: int) -> int:
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            return status


def _kill_the_rest() -> None:
    # As a subreaper this process inherits every orphan below it: when it has no child left, nothing
    # of the command is left, whatever was forked between two looks.
    with suppress(ChildProcessError):
        while True:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            linux.kill_all(linux.descendants(linux.living_children(), os.getpid()))
            os.waitpid(-1, 0)


def _be_command(task: Task) -> None:
    # Python ignores SIGPIPE and SIGXFSZ, the supervisor SIGINT; ignored signals survive exec.
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    os.nice(NICENESS)
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    shell = next(path for path in _SHELLS if os.access(path, os.X_OK))
    name = shell.rpartition("/")[2]
    try:
        os.chdir(task.cwd)
        os.execve(shell, [name, "-c", task.shell], task.env)  # noqa: S606  # is the shell
    except (OSError, ValueError) as problem:
        os.write(2, f"cannot start the command: {problem}\n".encode())
