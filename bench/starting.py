"""How long `overnight` takes to start, and `overnight up` on a folder that was used before."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.stack import PATIENCE_SECONDS, POLL_SECONDS, Arena
from bench.tables import Table, median, spread
from cli.stack import folder
from cli.stack.ports import Ports

RUNS = 5

WHOLE = "the whole stack (`stack.json` is written)"

NOTES = f"""\
{RUNS} starts of `overnight up` in a folder that had a stack before, from the start of the program;
looked at every {POLL_SECONDS * 1_000:.0f} ms. A worker is ready when it polls Temporal, the server
and the gateway when they listen."""

SHORT_RUNS = 20
SHORT: Mapping[str, Sequence[str]] = {
    "`python -c pass`": (sys.executable, "-c", "pass"),
    "`overnight --help`": (str(Path(sys.executable).with_name("overnight")), "--help"),
}
SHORT_NOTES = f"{SHORT_RUNS} runs of each in turn, from the start of the process to its end."


def measure(arena: Arena) -> list[Table]:
    """Start and stop the stack some times."""
    arena.record()
    arena.stop()
    runs = [_start(arena) for _ in range(RUNS)]
    order = sorted(runs[0], key=lambda name: median([run[name] for run in runs]))
    rows = [(name, *spread([run[name] for run in runs])) for name in order]
    return [Table("Warm start", ("ready", "p50 ms", "slowest ms"), rows, NOTES), _short()]


def _short() -> Table:
    """Measure commands that need no stack."""
    seconds: dict[str, list[float]] = {name: [] for name in SHORT}
    for _ in range(SHORT_RUNS):
        for name, command in SHORT.items():
            started = time.monotonic()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.monotonic() - started)
    rows = [(name, *spread(taken)) for name, taken in seconds.items()]
    return Table("The command line", ("run", "p50 ms", "p95 ms"), rows, SHORT_NOTES)


def _start(arena: Arena) -> Mapping[str, float]:
    home = arena.settings.home
    for stale in (home / "run").glob("*.ready"):
        stale.unlink()
    started = time.monotonic()
    arena.start()
    waiting = _milestones(home)
    passed: dict[str, float] = {}
    while waiting and time.monotonic() - started < PATIENCE_SECONDS:
        for name in [name for name, holds in waiting.items() if holds()]:
            passed[name] = time.monotonic() - started
            del waiting[name]
        time.sleep(POLL_SECONDS)
    arena.stop()
    return passed


def _milestones(home: Path) -> dict[str, Callable[[], object]]:
    # Kept over restarts, so that they are known before the processes take them.
    ports = Ports.model_validate_json((home / "ports.json").read_bytes())
    run = home / "run"
    return {
        "Temporal server": lambda: _listens(ports.temporal),
        "session worker": (run / "sessions.ready").exists,
        "model worker": (run / "models.ready").exists,
        "host worker": (run / "host.ready").exists,
        "gateway": lambda: _listens(ports.gateway),
        WHOLE: lambda: folder.read_record(home),
    }


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
