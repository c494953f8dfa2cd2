"""What the numbers were taken on, from /proc alone."""

from datetime import UTC, datetime
from pathlib import Path

PROC = Path("/proc")
KIB = 1024
GIB = 1024**3


def describe(folder: Path) -> str:
    """Return a sentence on processor, memory, kernel and the file system under `folder`."""
    kernel = (PROC / "sys/kernel/osrelease").read_text().strip()
    memory = int(_field(PROC / "meminfo", "MemTotal").split()[0]) * KIB / GIB
    model = _field(PROC / "cpuinfo", "model name")
    cores = (PROC / "cpuinfo").read_text().count("processor\t")
    return (
        f"{cores} cores {model}, {memory:.0f} GiB, Linux {kernel}, "
        f"data on {_file_system(folder)}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )


def load() -> str:
    """Return the load average of the last minute."""
    return (PROC / "loadavg").read_text().split()[0]


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _file_system(folder: Path) -> str:
    mounts = [line.split()[1:3] for line in (PROC / "mounts").read_text().splitlines()]
    above = [(len(point), kind) for point, kind in mounts if folder.is_relative_to(point)]
    return max(above, default=(0, "unknown"))[1]
