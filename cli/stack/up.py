"""The local stack as other commands need it: running in the background, or ended.

They must not wait for what only the process that runs the stack imports.
"""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from cli.problems import CliProblem
from cli.stack import folder
from cli.stack.environment import person_environment
from cli.stack.folder import StackRecord
from cli.stack.processes import READY_SECONDS, last_lines, open_log
from cli.stack.programs import PYTHON
from cli.terminal import say
from runtime.settings import Settings
from workflows.contract.problems import Code

DOWN_SECONDS = 45.0
"""A stop takes at most three patiences of the supervisor; after this it has failed."""

WAIT_SECONDS = 0.03


class Daemon(NamedTuple):
    """A stack that was started in the background."""

    process: "subprocess.Popen[bytes]"
    log_start: int
    """Where in the log begins what it writes, in bytes: before that are earlier starts."""


def ensure_running(settings: Settings) -> tuple[StackRecord, bool]:
    """Return the folder's stack, started in the background when none runs, and whether it was.

    Raises:
        CliProblem: it did not become ready; the detail holds the end of its log.
    """
    record = folder.read_record(settings.home)
    if record is not None:
        return record, False
    daemon = None
    try:
        folder.prepare(settings.home)
        if folder.owner(settings.home) is None:
            daemon = _start_in_background(settings)
        record = wait_until_ready(settings, daemon)
    except KeyboardInterrupt:
        if daemon is not None or folder.owner(settings.home) is not None:
            say("\nthe local stack goes on starting; stop it with: overnight down")
        raise
    # Another `overnight` may have won the folder; then its stack is the one to use.
    return record, daemon is not None and record.pid == daemon.process.pid


def wait_until_ready(settings: Settings, daemon: Daemon | None = None) -> StackRecord:
    """Return the folder's stack once it is ready, while it or `daemon` lives.

    Raises:
        CliProblem: it did not become ready; the detail holds the end of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        record = folder.read_record(settings.home)
        if record is not None:
            return record
        starting = daemon is not None and daemon.process.poll() is None
        if not starting and folder.owner(settings.home) is None:
            break
        time.sleep(WAIT_SECONDS)
    detail = f"the local stack in {str(settings.home)!r} ended before it was ready"
    log = _log(settings.home)
    if daemon is None:
        detail += f"; see {log}, or the terminal that it was started in"
    else:
        said = last_lines(log, 20, after=daemon.log_start)
        lines = "".join(f"\n  | {line[:300]}" for line in said)
        detail += f"; the end of {log}:{lines or ' empty'}"
    hint = "mend what it reported, then: overnight up"
    raise CliProblem(Code.STACK_FAILED, detail, hint)


def stop_stack(settings: Settings) -> int | None:
    """Stop the folder's stack and wait for its end; return its process id, none if none ran.

    Raises:
        CliProblem: it does not end.
    """
    pid = folder.owner(settings.home)
    if pid is None:
        return None
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return None
    deadline = time.monotonic() + DOWN_SECONDS
    while folder.owner(settings.home) == pid:
        if time.monotonic() > deadline:
            raise CliProblem(
                Code.STOP_FAILED,
                f"the stack (pid {pid}) has not ended after {DOWN_SECONDS:.0f} seconds",
                f"see {_log(settings.home)}, or end it with: kill -9 {pid}",
            )
        time.sleep(WAIT_SECONDS)
    return pid


def _log(home: Path) -> Path:
    return home / "logs" / "up.log"


def _start_in_background(settings: Settings) -> Daemon:
    home = settings.home
    wanted = {"OVERNIGHT_HOME": str(home)}
    if settings.metrics_address is not None:
        wanted["OVERNIGHT_METRICS_ADDRESS"] = settings.metrics_address
    with open_log(_log(home)) as file:
        log_start = file.tell()
        process = subprocess.Popen(
            (*PYTHON, "cli.main", "up"),
            cwd=home,
            env=person_environment() | wanted,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    return Daemon(process, log_start)
