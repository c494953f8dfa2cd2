"""What each process holds in memory when a session waits and nothing runs."""

import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from bench import scripted
from bench.stack import Arena
from bench.tables import Table

SETTLING_SECONDS = 5.0
MIB = 1024 * 1024

NOTES = f"""\
After one session with one command that waits for its next prompt, {SETTLING_SECONDS:.0f} s later.
RSS counts the pages shared between processes in each of them, PSS divides them among all that
share them, so only PSS may be added up. The sandbox is bwrap and the supervisor inside."""


def measure(arena: Arena) -> list[Table]:
    """Run a session, let it wait, and look."""
    api = arena.api()
    session = api.create(arena.repository, scripted.SHORT).id
    api.until_waiting(session, turns=1)
    time.sleep(SETTLING_SECONDS)
    record = arena.record()
    groups = {"supervisor": [record.pid]}
    groups |= {name: [pid] for name, pid in sorted(record.processes.items())}
    stack = [pid for pids in groups.values() for pid in pids]
    groups["all of the stack"] = stack
    groups["one idle sandbox"] = _sandbox(arena.settings.sandboxes_path)
    rows = [(name, *_memory(pids)) for name, pids in groups.items()]
    return [Table("Memory at rest", ("process", "RSS MiB", "PSS MiB"), rows, NOTES)]


def _sandbox(boxes: Path) -> list[int]:
    """Return the processes of the only sandbox, which runs outside of the stack's tree."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(boxes) in word for word in words):
            found += [process.pid, *(child.pid for child in process.children(recursive=True))]
    return sorted(set(found))


def _memory(pids: Iterable[int]) -> tuple[str, str]:
    infos = [psutil.Process(pid).memory_full_info() for pid in pids]
    return (
        f"{sum(info.rss for info in infos) / MIB:.1f}",
        f"{sum(info.pss for info in infos) / MIB:.1f}",
    )
