"""The processes behind the demo: the scripted model and the stack; neither outlives it."""

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.client import Gateway
from cli.problems import CliProblem
from cli.stack import folder, up
from cli.stack.environment import PROXY_NAMES, person_environment
from cli.stack.processes import (
    READY_SECONDS,
    Child,
    ListeningPort,
    Program,
    ReadyFile,
    Stage,
    last_lines,
)
from cli.stack.programs import PYTHON
from cli.transport import Transport
from runtime.settings import Settings, gateway_token
from workflows.contract.problems import Code

LEFT_SECONDS = 10.0
"""What was killed is gone within this time."""

POLL_SECONDS = 0.02


def demo_environment(home: Path, *, model_port: int | None, sandbox: str) -> dict[str, str]:
    """Return the environment of the demo's stack: the person's, except for where it leads.

    With a `model_port` the scripted model listens there and answers instead of a real one.
    """
    environment = {
        name: value
        for name, value in person_environment().items()
        if (name.startswith("OVERNIGHT_MODEL") and model_port is None)
        or not name.startswith(("OVERNIGHT_", "TEMPORAL_"))
    }
    if model_port is not None:
        for name in [name for name in environment if name.upper() in PROXY_NAMES]:
            del environment[name]
        environment |= {
            "OVERNIGHT_MODEL": "openai/scripted",
            "OVERNIGHT_MODEL_BASE_URL": f"http://127.0.0.1:{model_port}/v1",
            "OPENAI_API_KEY": "none",
        }
    return environment | {
        "OVERNIGHT_HOME": str(home),
        "OVERNIGHT_SANDBOX": sandbox,
        # Where the project's pytest is.
        "OVERNIGHT_TOOLCHAIN": sys.prefix,
    }


@contextlib.contextmanager
def scripted_model(home: Path, script: Path) -> Iterator[int]:
    """Have the scripted model answer, and give the port it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    files = ("--script", str(script), "--journal", str(home / "logs" / "model-requests.jsonl"))
    program = Program(
        name="scripted-model",
        argv=(*PYTHON, "cli.demo.scripted_model", "--port", str(port), *files),
        environment={},
        stage=Stage.SERVER,
        ready=ListeningPort(port=port),
    )
    with _running(Child(program, home)):
        yield port


@contextlib.contextmanager
def local_stack(settings: Settings, environment: Mapping[str, str]) -> Iterator[Gateway]:
    """Have a stack run in the settings' data folder, as `overnight up` does, and reach it."""
    program = Program(
        name="up",
        argv=(*PYTHON, "cli.main", "up"),
        environment=dict(environment),
        stage=Stage.SERVER,
        ready=ReadyFile(path=settings.stack_path),
    )
    with _running(Child(program, settings.home)):
        record = up.wait_until_ready(settings)
        transport = Transport(
            record.gateway_url,
            gateway_token(settings),
            local=True,
            may_return=lambda: folder.owner(settings.home) == record.pid,
        )
        try:
            yield Gateway(transport)
        finally:
            transport.close()
            up.stop_stack(settings)


@contextlib.contextmanager
def _running(child: Child) -> Iterator[None]:
    try:
        child.start()
        _await_ready(child)
        yield
    finally:
        child.kill()


def _await_ready(child: Child) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not child.probe():
        if child.reap() or time.monotonic() > deadline:
            lines = "".join(f"\n  | {line[:300]}" for line in last_lines(child.log))
            raise CliProblem(
                Code.PROCESS_FAILED,
                f"the {child.program.name} process did not become ready; the end of "
                f"{child.log}:{lines or ' empty'}",
            )
        time.sleep(POLL_SECONDS)


def sweep(home: Path) -> None:
    """End what an interrupted demo left in its data folder; finds nothing after a clean end.

    The processes of the stack die with the demo by themselves, sandboxes are made to live on.
    """
    deadline = time.monotonic() + LEFT_SECONDS
    while (left := _left(home)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _left(home: Path) -> list[int]:
    boxes = home / "sandboxes" / "boxes"
    # A sandbox names its folder, or itself by a token that begins with the folder's name.
    marks = [f"{boxes}/", *(f"overnight-{path.name}-" for path in boxes.glob("*"))]
    owner = folder.owner(home)
    found = [] if owner is None else [owner]
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            if any(mark in words for mark in marks):
                found.append(int(entry.name))
    return found
