"""Rows about this machine: programs, user, limits and clock."""

import os
import platform
import re
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from cli.doctor.probing import PROBE_SECONDS, Probe
from cli.stack import trials
from workflows.contract.health import Row

OLDEST_PYTHON = (3, 11)

OLDEST_GIT = (2, 36)
"""The first that syncs what it writes as `core.fsync` asks; an older one ignores that."""

PROGRAM_SECONDS = PROBE_SECONDS - 0.5

FEW_FILES = 1024
TOO_FEW_FILES = 256

FIRST_YEAR = 2025
LAST_YEAR = 2100
TICK_SECONDS = 0.05

GROUP = "machine"


def probes() -> list[Probe]:
    """Return what there is to look at on any machine."""
    return [
        Probe(GROUP, "python", _python),
        Probe(GROUP, "git", _git),
        Probe(GROUP, "git identity", _identity),
        Probe(GROUP, "clock", _clock),
    ]


def stack_probes() -> list[Probe]:
    """Return what there is to look at on a machine that runs a stack."""
    return [
        Probe(GROUP, "user", _user),
        Probe(GROUP, "open files", lambda: _open_files(_file_limit())),
        Probe(GROUP, "docker", _docker),
    ]


def _python() -> Iterator[Row]:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Row.fail("python", found, "install Python 3.11 or newer and `make` again")
    else:
        yield Row.ok("python", found)


def _git() -> Iterator[Row]:
    path = shutil.which("git")
    if path is None:
        yield Row.fail("git", "there is no git on PATH", "sudo apt-get install git")
        return
    done = trials.finish((path, "--version"), seconds=PROGRAM_SECONDS)
    if done.status is None:
        finding = f"{path} did not end within {PROGRAM_SECONDS:g} s and was killed"
        yield Row.fail("git", finding, "find out what hangs there: git --version")
        return
    version = re.search(r"\d+(\.\d+)+", done.stdout)
    if done.status != 0 or version is None:
        said = " ".join((done.stderr or done.stdout).split())[:200] or "it said nothing"
        yield Row.fail("git", f"{path} does not work: {said}", "install git anew")
        return
    found = f"{version[0]} at {path}"
    if tuple(map(int, version[0].split(".")[:2])) < OLDEST_GIT:
        cure = "install git 2.36 or newer: an older one may lose work when the power fails"
        yield Row.warn("git", found, cure)
    else:
        yield Row.ok("git", found)


def _identity() -> Iterator[Row]:
    who = "Overnight <overnight@localhost>"
    yield Row.ok("git identity", f"sessions commit as {who}; user.name and user.email do not count")


def _user() -> Iterator[Row]:
    if os.geteuid() == 0:
        finding = "this is root: to the kernel, what runs in a sandbox is root, too"
        yield Row.warn("user", finding, "run the stack as an ordinary user")
    else:
        yield Row.ok("user", f"an ordinary one (uid {os.geteuid()})")


def _docker() -> Iterator[Row]:
    """Docker is not needed, so nothing about it is wrong."""
    path = shutil.which("docker")
    if path is None:
        yield Row.ok("docker", "not installed, and not needed")
        return
    argv = (path, "version", "--format", "{{.Server.Version}}")
    done = trials.finish(argv, seconds=PROGRAM_SECONDS)
    said = done.stdout.strip()
    if done.status == 0 and said:
        yield Row.ok("docker", f"a daemon answers (version {said[:50]}); not needed")
    else:
        yield Row.ok("docker", "installed, no daemon answers; not needed")


def _file_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft


def _open_files(limit: int) -> Iterator[Row]:
    cure = "raise it before `overnight up`: ulimit -n 4096"
    if limit == resource.RLIM_INFINITY:
        yield Row.ok("open files", "any number for each process")
    elif limit < TOO_FEW_FILES:
        yield Row.fail("open files", f"only {limit} for each process", cure)
    elif limit < FEW_FILES:
        yield Row.warn("open files", f"only {limit} for each process", cure)
    else:
        yield Row.ok("open files", f"{limit:,} for each process")


def _clock() -> Iterator[Row]:
    wall, steady = time.time(), time.monotonic()
    time.sleep(TICK_SECONDS)
    went = time.time() - wall - (time.monotonic() - steady)
    yield _clock_row(datetime.now(UTC), went)


def _clock_row(now: datetime, jumped_seconds: float) -> Row:
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    cure = "set the clock and keep it right: sudo timedatectl set-ntp true"
    if not FIRST_YEAR <= now.year < LAST_YEAR:
        return Row.fail("clock", f"{shown} cannot be", cure)
    if abs(jumped_seconds) > 1.0:
        jump = f"{shown}; it jumped by {jumped_seconds:+.1f} s while it was looked at"
        return Row.warn("clock", jump, cure)
    return Row.ok("clock", shown)
