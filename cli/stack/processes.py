"""One process of the stack over all its restarts: how it starts, when it is ready, how it ends."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from pydantic import Field

from workflows.contract.base import Frozen

ROTATE_BYTES = 10 * 1024 * 1024
"""A log larger than this when its process starts becomes `<name>.log.1`."""

READY_SECONDS = 120.0
"""A stack that is not ready by then is given up."""

PROBE_SECONDS = 1.0
PR_SET_PDEATHSIG = 1

# Looked up here, since a forked child must not load libraries.
_prctl = ctypes.CDLL(None).prctl


class Stage(IntEnum):
    """The order of the stop; what stands later is needed by what stands earlier."""

    GATEWAY = 0
    WORKER = 1
    SERVER = 2


class ReadyFile(Frozen):
    """Ready once the process has created this file."""

    kind: Literal["file"] = "file"
    path: Path

    def holds(self) -> bool:
        """Tell whether the file is there."""
        return self.path.exists()


class ListeningPort(Frozen):
    """Ready once somebody listens on this port of the loopback interface."""

    kind: Literal["port"] = "port"
    port: int

    def holds(self) -> bool:
        """Tell whether a connection is taken."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=PROBE_SECONDS).close()
        except OSError:
            return False
        return True


class Answering(Frozen):
    """Ready once every path of this HTTP server is answered with 200."""

    kind: Literal["http"] = "http"
    host: str
    port: int
    paths: tuple[str, ...]

    def holds(self) -> bool:
        """Ask each path once."""
        return all(self._answers(path) for path in self.paths)

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Program(Frozen):
    """What to run, as data."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str] = Field(repr=False)
    """All that the process sees; holds secrets."""

    stage: Stage
    ready: ReadyFile | ListeningPort | Answering = Field(discriminator="kind")
    address: str = ""
    """Where it is reached, for people."""

    hint: str = ""
    """What to do when it cannot start."""


class Death(NamedTuple):
    """How a process ended that should not have."""

    status: int
    """Exit code; the negated signal when it was killed by one."""

    lived_seconds: float
    was_ready: bool


class Child:
    """A program as a child of this process, in its own process group.

    The kernel kills it when this process dies, however that happens. Processes that it started in
    sessions of their own, such as sandboxes, live on.
    """

    def __init__(self, program: Program, home: Path) -> None:
        self.program = program
        self.log = home / "logs" / f"{program.name}.log"
        self.is_ready = False
        self._home = home
        self._running: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process id; none while it does not run."""
        return self._running.pid if self._running else None

    def start(self) -> None:
        """Start the program with its output appended to its log.

        Raises:
            OSError: the program cannot be executed.
        """
        if isinstance(self.program.ready, ReadyFile):
            self.program.ready.path.unlink(missing_ok=True)
        self.is_ready = False
        self._started_at = time.monotonic()
        with open_log(self.log) as log:
            self._running = subprocess.Popen(
                self.program.argv,
                # No folder of the person's, whose files Python or git might read.
                cwd=self._home,
                env=self.program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - one thread only
            )

    def probe(self) -> bool:
        """Look whether the process has become ready; true once after each start."""
        if self._running is None or self.is_ready or not self.program.ready.holds():
            return False
        self.is_ready = True
        return True

    def reap(self) -> Death | None:
        """Collect the process if it has ended, with what is left of its group."""
        if self._running is None:
            return None
        ended = os.waitid(os.P_PID, self._running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        # Before the wait, while no other process can have got the number.
        os.killpg(self._running.pid, signal.SIGKILL)
        death = Death(self._running.wait(), self._lived_seconds(), self.is_ready)
        self._running = None
        self.is_ready = False
        return death

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process, which forwards it to its own as it sees fit."""
        if self._running:
            # Not `Popen.send_signal`, which would reap it.
            os.kill(self._running.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process and its group, if it runs, and wait for its end."""
        if self._running:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            self._running = None

    def _lived_seconds(self) -> float:
        return time.monotonic() - self._started_at


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending; a large one is set aside first, replacing the one before it."""
    try:
        if path.stat().st_size > ROTATE_BYTES:
            path.replace(path.with_name(path.name + ".1"))
    except FileNotFoundError:
        pass
    return path.open("ab")


def last_lines(path: Path, count: int = 12, *, after: int = 0) -> tuple[str, ...]:
    """Return the end of a log, of what follows `after` bytes; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(after, file.seek(0, os.SEEK_END) - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-count:])


def _die_with_parent(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
        # The supervisor takes its signals synchronously; its children shall not inherit that.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    return prepare
