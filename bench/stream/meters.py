"""What processes use: processor time over a while, memory at its peak."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

MIB = 1024 * 1024
CLIENTS = "clients"

PEAK_RESET = "5"
"""Written to `clear_refs` it makes `VmHWM` begin anew, see proc_pid_clear_refs(5)."""


class Meter:
    """Measures some processes from when it is made."""

    def __init__(self, processes: Mapping[str, int], names: Iterable[str]) -> None:
        """Take the stack's processes and which of them to measure; `clients` is this one."""
        known = {**processes, CLIENTS: os.getpid()}
        self._pids = {name: known[name] for name in names}
        for pid in self._pids.values():
            Path(f"/proc/{pid}/clear_refs").write_text(PEAK_RESET)
        self._memory = {name: _peak(pid) for name, pid in self._pids.items()}
        self._started = time.monotonic()
        self._used = {name: _processor(pid) for name, pid in self._pids.items()}

    def processor(self, name: str) -> str:
        """Return a process's share of one core since then, in percent."""
        used = _processor(self._pids[name]) - self._used[name]
        return f"{100 * used / (time.monotonic() - self._started):.0f}"

    def growth(self, name: str) -> str:
        """Return how far a process's resident memory rose above what it was, in MiB."""
        return f"{(_peak(self._pids[name]) - self._memory[name]) / MIB:.1f}"


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    message = f"process {pid} has no VmHWM"
    raise RuntimeError(message)


def _processor(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
