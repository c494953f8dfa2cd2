"""Runs the local stack here, until it is stopped."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from cli.problems import CliProblem
from cli.stack import folder, ports
from cli.stack.environment import person_environment
from cli.stack.folder import StackRecord
from cli.stack.programs import Stack, stack_of
from cli.stack.supervisor import Supervisor
from runtime.settings import Settings

log = structlog.get_logger()


def run_stack(settings: Settings, ready: Callable[[StackRecord, float], None]) -> None:
    """Run the stack of this data folder until SIGTERM or SIGINT.

    `ready` is called once, with the record and the seconds since the call.

    Raises:
        CliProblem: the folder has a stack already, or a process cannot be kept running.
    """
    started = time.monotonic()
    home = settings.home
    folder.prepare(home)
    host, port = settings.gateway_host, settings.gateway_port
    with (
        folder.owned(home),
        ports.reserved(home, gateway_host=host, gateway_port=port) as reserved,
    ):
        stack = stack_of(settings, reserved, person_environment())
        ports.require_free(stack.metrics)
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
            metrics=dict(stack.metrics),
        )
        try:
            with folder.using(home):
                folder.write_atomically(path, record.model_dump_json(indent=2) + "\n")
        except CliProblem as problem:
            if not announced:
                raise
            # Clients need no process id: a full disk must not end what runs.
            log.warning("stack.unrecorded", reason=problem.detail)
        if not announced:
            announced = True
            ready(record)

    try:
        supervisor.run(changed)
    finally:
        path.unlink(missing_ok=True)
