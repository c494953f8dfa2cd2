"""Runs the local stack: here until it is stopped, or in the background; and ends it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cli.problems import CliProblem, Code
from cli.stack import folder
from cli.stack.environment import person_environment
from cli.stack.folder import StackRecord
from cli.stack.processes import last_lines, open_log
from cli.stack.programs import PYTHON, Stack, stack_of
from cli.stack.supervisor import READY_SECONDS, Supervisor
from runtime.settings import Settings

DOWN_SECONDS = 45.0
"""A stop takes at most three patiences of the supervisor; after this it has failed."""

WAIT_SECONDS = 0.03


def run_stack(settings: Settings, ready: Callable[[StackRecord, float], None]) -> None:
    """Run the stack of this data folder until SIGTERM or SIGINT.

    `ready` is called once, with the record and the seconds since the call.

    Raises:
        CliProblem: the folder has a stack already, or a process cannot be kept running.
    """
    started = time.monotonic()
    home = settings.home
    folder.prepare(home)
    with folder.owned(home):
        ports = folder.choose_ports(
            home, gateway_host=settings.gateway_host, gateway_port=settings.gateway_port
        )
        stack = stack_of(settings, ports, person_environment())
        supervise(stack, home, lambda record: ready(record, time.monotonic() - started))


def supervise(stack: Stack, home: Path, ready: Callable[[StackRecord], None]) -> None:
    """Run these programs in an owned folder, whose `stack.json` tells of them once all are ready.

    Raises:
        CliProblem: a process cannot be kept running.
    """
    supervisor = Supervisor(stack.programs, home)
    path = home / "stack.json"
    path.unlink(missing_ok=True)
    started_at = datetime.now(UTC)
    announced = False

    def changed() -> None:
        nonlocal announced
        record = StackRecord(
            pid=os.getpid(),
            gateway_url=stack.gateway_url,
            temporal_address=stack.temporal_address,
            started_at=started_at,
            processes=supervisor.pids(),
        )
        folder.write_atomically(path, record.model_dump_json(indent=2) + "\n")
        if not announced:
            announced = True
            ready(record)

    try:
        supervisor.run(changed)
    finally:
        path.unlink(missing_ok=True)


def ensure_running(settings: Settings) -> tuple[StackRecord, bool]:
    """Return the folder's stack, started in the background when none runs, and whether it was.

    Raises:
        CliProblem: it did not become ready; the detail holds the end of its log.
    """
    record = folder.read_record(settings.home)
    if record is not None:
        return record, False
    folder.prepare(settings.home)
    daemon = None
    if folder.owner(settings.home) is None:
        daemon = _start_in_background(settings.home)
    record = wait_until_ready(settings, daemon)
    # Another `overnight` may have won the folder; then its stack is the one to use.
    return record, daemon is not None and record.pid == daemon.pid


def wait_until_ready(
    settings: Settings, daemon: "subprocess.Popen[bytes] | None" = None
) -> StackRecord:
    """Return the folder's stack once it is ready, while it or `daemon` lives.

    Raises:
        CliProblem: it did not become ready; the detail holds the end of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        record = folder.read_record(settings.home)
        if record is not None:
            return record
        starting = daemon is not None and daemon.poll() is None
        if not starting and folder.owner(settings.home) is None:
            break
        time.sleep(WAIT_SECONDS)
    detail = f"the local stack in {str(settings.home)!r} ended before it was ready"
    if daemon is not None:
        log = _log(settings.home)
        lines = "".join(f"\n  | {line[:300]}" for line in last_lines(log, 20))
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


def _start_in_background(home: Path) -> "subprocess.Popen[bytes]":
    with open_log(_log(home)) as file:
        return subprocess.Popen(
            (*PYTHON, "cli.main", "up"),
            cwd=home,
            env=person_environment() | {"OVERNIGHT_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
