"""Modules of this repository as processes of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that says one line once it serves; yield the line, end it afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            if not said:
                message = f"{module} ended before it served"
                raise RuntimeError(message)
            yield said
        finally:
            process.terminate()
            process.communicate()


def run(module: str, *arguments: str) -> None:
    """Run a module to its end, silently.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
