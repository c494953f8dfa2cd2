"""Tries in short-lived programs what the command line itself may not import, or is not."""

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from cli.stack.environment import Role, cluster_address, share_of
from cli.stack.programs import PYTHON

SANDBOX_SECONDS = 30.0

MODEL_SECONDS = 180.0
"""Two requests of a minute each, and the seconds that litellm takes to be imported."""


class Finished(NamedTuple):
    """How a program ended."""

    status: int | None
    """None when it was killed because it took too long."""

    stdout: str
    stderr: str


def finish(
    argv: tuple[str, ...], *, seconds: float, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run a program to its end; one that takes longer is killed with all it started.

    Raises:
        OSError: it cannot be started.
    """
    with subprocess.Popen(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    ) as program:
        try:
            said, complaint = program.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            return Finished(None, "", "")
        except BaseException:
            os.killpg(program.pid, signal.SIGKILL)
            raise
    return Finished(program.returncode, said, complaint)


class SandboxTrial(NamedTuple):
    """Whether this machine makes sandboxes."""

    program: str
    """Version and path of the bubblewrap that made one; empty when none did."""

    refusal: str
    """What is wrong, why, and after the last semicolon the cure; empty when one was made."""


def try_sandbox(seconds: float = SANDBOX_SECONDS) -> SandboxTrial:
    """Make a sandbox and let it go."""
    done = finish((*PYTHON, "activities.sandbox.canary"), seconds=seconds)
    if done.status is None:
        return SandboxTrial("", f"making a sandbox took longer than {seconds:g} s")
    said = done.stdout.strip() or done.stderr.strip() or f"the trial ended with {done.status}"
    line = said.splitlines()[-1]
    return SandboxTrial("", line) if done.status else SandboxTrial(line, "")


def try_model(model: str, environment: Mapping[str, str]) -> Finished:
    """Try a model with the model worker's share of this environment; prints a `ModelTrial`."""
    cluster = cluster_address(environment) is not None
    mine = share_of(Role.MODELS, environment, cluster=cluster)
    return finish(
        (*PYTHON, "activities.model.trial", model), seconds=MODEL_SECONDS, environment=mine
    )
