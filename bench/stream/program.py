"""What the measured commands print, and the scripts that make sessions run them.

Each command waits until it is let go, prints lines that begin with the time at which they were
printed, and ends with the sha256 of all of them: by that line anybody can tell whether it got every
byte.
"""

import shlex
from typing import Any, NamedTuple

STAMP_DIGITS = 19
"""Of a time in ns since the epoch, until the year 2286."""

SUM_WORD = b"sha256 "

READY, GO = ".bench-ready", ".bench-go"
"""In the home folder, not in the workspace: what lies there would be proposed as work."""

_PRINTER = """\
import hashlib, os, random, sys, time
rate, size, count = map(int, sys.argv[1:])
fill = random.Random(7).randbytes(size).hex().encode()[: size - 21] + b"\\n"
home = os.environ["HOME"] + "/"
open(home + ".bench-ready", "w").close()
while not os.path.exists(home + ".bench-go"):
    time.sleep(0.01)
digest = hashlib.sha256()
started = time.monotonic()
for number in range(count):
    if rate:
        time.sleep(max(0, started + number * size / rate - time.monotonic()))
    line = b"%d " % time.time_ns() + fill
    digest.update(line)
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
print("sha256", digest.hexdigest())
"""


class Printing(NamedTuple):
    """A command: `lines` lines of `size` bytes, together `rate` bytes a second; 0 is unlimited."""

    rate: int
    size: int
    lines: int

    @property
    def content(self) -> int:
        """Return how many bytes it prints before its last line."""
        return self.size * self.lines

    @property
    def seconds(self) -> float:
        """Return how long it prints when nothing holds it up."""
        return self.content / self.rate if self.rate else 0.0

    @property
    def command(self) -> str:
        """Return it as a shell command."""
        words = ["python3", "-c", _PRINTER, *map(str, self)]
        return shlex.join(words)


LINES = Printing(rate=2_000, size=100, lines=200)
"""What a test run prints: 20 lines a second, for ten seconds."""

GIBIBYTE = Printing(rate=0, size=262_144, lines=4_096)
FAST = Printing(rate=50_000_000, size=250_000, lines=800)
MODEST = Printing(rate=1_000_000, size=10_000, lines=800)
BUSY = Printing(rate=2_000_000, size=20_000, lines=1_000)
ENDLESS = Printing(rate=4_000, size=200, lines=2_400)
"""Two minutes; longer than anybody watches it."""

MARKERS: dict[Printing, str] = {
    LINES: "bench-print-lines",
    GIBIBYTE: "bench-print-gibibyte",
    FAST: "bench-print-fast",
    MODEST: "bench-print-modest",
    BUSY: "bench-print-busy",
    ENDLESS: "bench-print-endless",
}

MEANWHILE = "bench-meanwhile"
MEANWHILE_STEPS = 50
"""Steps of the session that runs beside the streams."""


def scripts() -> dict[str, list[dict[str, Any]]]:
    """Return the scripted model's replies by marker."""
    found = {marker: [_step(printing.command)] for printing, marker in MARKERS.items()}
    return {**found, MEANWHILE: [_step("true")] * MEANWHILE_STEPS}


def _step(command: str) -> dict[str, Any]:
    return {"text": "Next.", "calls": [{"name": "bash", "arguments": {"command": command}}]}
