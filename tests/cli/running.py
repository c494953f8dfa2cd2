"""Processes as the tests of the command line look at them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from cli.stack.ports import Ports, reserved
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_SECONDS
from tests.provider import sandbox_provider

ROOT = Path(__file__).parents[2]


def wait_until(holds: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the condition holds; fail when it does not come to hold."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.01)


def choose_ports(home: Path, host: str = "127.0.0.1", port: int = 0) -> Ports:
    with reserved(home, gateway_host=host, gateway_port=port) as ports:
        return ports


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with nothing of ours but the data folder."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home.parent),
        "OVERNIGHT_HOME": str(home),
        "OVERNIGHT_SANDBOX": sandbox_provider(),
        **more,
    }


def overnight(
    *arguments: str, environment: Mapping[str, str], typed: str = "", cwd: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Run the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=cwd,
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def seated(
    terminal: Terminal, *arguments: str, environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start the command line for a person at a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdin=terminal.end,
        stdout=terminal.end,
        stderr=terminal.end,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def attached(terminal: Terminal, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start `overnight attach` for a person at a terminal."""
    return seated(terminal, "attach", "s-01", environment=environment)


def started_overnight(
    *arguments: str, environment: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[str]":
    """Start the command line, with Ctrl-C working as in a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test runner in the background may have been started with the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
