"""Runs a process that makes one call of the model, to be killed in the middle of it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows.contract.base import Frozen


@contextmanager
def calling(home: Path, url: str, call: Frozen) -> Iterator[None]:
    """Run a process that makes the call; kill it at the end of the block."""
    arguments = [str(home), url, call.model_dump_json()]
    program = [sys.executable, "-m", "tests.activities.model.killed_worker"]
    with subprocess.Popen([*program, *arguments]) as worker:
        try:
            yield
        finally:
            worker.kill()
