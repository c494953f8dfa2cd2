"""Starting boxes: the one place of this package that starts programs on the host.

Every program gets an empty environment, only the descriptors named, and its own session.
"""

import subprocess  # noqa: TID251
import threading
from pathlib import Path
from typing import NamedTuple


class Finished(NamedTuple):
    """How a short program ended."""

    code: int
    stdout: str
    stderr: str


def start_detached(argv: list[str], descriptors: tuple[int, ...], log: Path) -> "Detached":
    """Start a program that stays when this process is killed; its stderr is appended to `log`."""
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            argv,
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=descriptors,
            start_new_session=True,
        )
    return Detached(process)


class Detached:
    """A started program, reaped whenever it ends; no one has to wait for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()

    @property
    def has_ended(self) -> bool:
        """The program is gone."""
        return self._process.poll() is not None


def run_briefly(argv: list[str], timeout_s: float) -> Finished:
    """Run a program to its end; blocks, so call it in a thread.

    A program that cannot be started ends with 127, one that takes too long is killed and ends
    with 124; its stderr says so.
    """
    try:
        done = subprocess.run(
            argv,
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as problem:
        return Finished(127, "", str(problem))
    except subprocess.TimeoutExpired:
        return Finished(124, "", f"did not end within {timeout_s:g} s")
    return Finished(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
