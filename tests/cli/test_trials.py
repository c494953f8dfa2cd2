"""Programs that are started to try something out."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from cli.stack import trials
from tests.cli.running import wait_until


def running(command: str) -> list[int]:
    """Return the processes with this command line."""
    return [each.pid for each in psutil.process_iter(["cmdline"]) if _line(each) == command]


def _line(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or ())


def test_what_a_program_said_and_how_it_ended_is_returned():
    """Both outputs are kept apart; the environment is what is given."""
    script = "echo out; echo $WORD >&2; exit 3"
    done = trials.finish(("/bin/sh", "-c", script), seconds=30, environment={"WORD": "err"})
    assert done == trials.Finished(3, "out\n", "err\n")


def test_a_program_that_takes_too_long_is_killed_with_all_it_started():
    """Neither it nor its child is left; that it was killed is told from every exit status."""
    child = f"sleep 601.{os.getpid()}"
    done = trials.finish(("/bin/sh", "-c", f"{child} & wait"), seconds=0.3)
    assert done.status is None
    wait_until(lambda: not running(child))


def test_a_sandbox_that_never_comes_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A bubblewrap that hangs is said to, and is not left behind."""
    hangs = f"sleep 602.{os.getpid()}"
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{hangs}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin")
    found = trials.try_sandbox(seconds=1.0)
    assert found == trials.SandboxTrial("", "making a sandbox took longer than 1 s")
    wait_until(lambda: not running(hangs))
