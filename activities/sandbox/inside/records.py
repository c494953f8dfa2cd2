"""How a command's end is written down: `exit.json`, which appears whole or not at all."""

import json
import os
import signal
from typing import TypeGuard

from activities.sandbox.inside import linux, wire

EXIT = "exit.json"

_KINDS = {
    "outcome": str,
    "code": int | None,
    "signal": str | None,
    "bytes": dict,
    "started_ns": int,
    "ended_ns": int,
}
_MOST_NS = 2**64


def ended(
    outcome: str, status: int | None, sizes: dict[int, int], times_ns: tuple[int, int]
) -> wire.Reply:
    """Describe an end: why, the first process's wait status, bytes kept per stream, start and end.

    Without a wait status neither the exit code nor the signal is known.
    """
    exited = status is not None and os.WIFEXITED(status)
    signaled = status is not None and os.WIFSIGNALED(status)
    return {
        "outcome": outcome,
        "code": os.WEXITSTATUS(status) if status is not None and exited else None,
        "signal": _signal_name(os.WTERMSIG(status)) if status is not None and signaled else None,
        "bytes": {"stdout": sizes.get(wire.STDOUT, 0), "stderr": sizes.get(wire.STDERR, 0)},
        "started_ns": times_ns[0],
        "ended_ns": times_ns[1],
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def write(folder: int, record: wire.Reply) -> None:
    """Record an end durably in the command's folder."""
    linux.write_durably(folder, EXIT, json.dumps(record).encode())


def read(folder: int) -> wire.Reply | None:
    """Return the recorded end, or None when there is none that can be read."""
    content = linux.read_if_there(folder, EXIT)
    try:
        record = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    return record if _is_end(record) else None


def _is_end(record: object) -> TypeGuard[wire.Reply]:
    if not isinstance(record, dict) or record.keys() != _KINDS.keys():
        return False
    if not all(isinstance(record[name], kind) for name, kind in _KINDS.items()):
        return False
    return all(0 <= record[name] < _MOST_NS for name in ("started_ns", "ended_ns"))


def lost(folder: int) -> wire.Reply:
    """Describe a command whose box died under it: what its log still tells."""
    sizes: dict[int, int] = {}
    times: list[int] = []
    try:
        log = os.open("log", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        log = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
        end, started = 0, os.stat(folder).st_mtime_ns
    else:
        end, started = os.fstat(log).st_size, os.fstat(log).st_ctime_ns
    try:
        offset = 0
        while offset + wire.FRAME.size <= end:
            stream, time_ns, length = wire.FRAME.unpack(os.pread(log, wire.FRAME.size, offset))
            offset += wire.FRAME.size + length
            if offset > end:
                break
            sizes[stream] = sizes.get(stream, 0) + length
            times.append(time_ns)
    finally:
        os.close(log)
    first, last = (times[0], times[-1]) if times else (started, started)
    return ended("lost", None, sizes, (first, last))
