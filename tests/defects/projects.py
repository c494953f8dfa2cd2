"""Projects that nobody here wrote, from their pinned source distributions, and their suites."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.patience import PATIENCE_SECONDS

HERE = Path(__file__).parent
PLUGIN = "outcomes"
TESTS_ONLY = '[checks]\ntests = "python3 -m pytest -q"\n'


class Project(NamedTuple):
    """A release on the package index whose suite needs nothing but pytest."""

    name: str
    version: str
    sha256: str
    sources: tuple[str, ...]
    """Files that defects are put into."""

    configuration: str = ""
    """What `.overnight.toml` is added to its repository, if any."""


PROJECTS = {
    project.name: project
    for project in (
        Project(
            "idna",
            "3.10",
            "12f65c9b470abda6dc35cf8e63cc574b1c52b11df2c86030af0ac09b01b13ea9",
            ("idna/codec.py", "idna/core.py", "idna/intranges.py"),
            # It is set up for ruff, but today's ruff finds much in it: never green, and rightly so.
            TESTS_ONLY,
        ),
        Project(
            "inflection",
            "0.5.1",
            "1a29730d366e996aaacffb2f1f1cb9593dc38e2ddd30c91250c6dde09ea9b417",
            ("inflection/__init__.py",),
            # It is set up for mypy, which takes longer than all else; our own project has it too.
            TESTS_ONLY,
        ),
        Project(
            "parse",
            "1.20.2",
            "b41d604d16503c79d81af5165155c0b20f6c8d6c559efa66b4b695c3e5a0a0ce",
            ("parse.py",),
        ),
        Project(
            "toolz",
            "0.12.1",
            "ecca342664893f177a13dac0e6b41cbd8ac25a358e5f215316d43e2100224f4d",
            ("toolz/dicttoolz.py", "toolz/functoolz.py", "toolz/itertoolz.py", "toolz/recipes.py"),
        ),
    )
}


class SuiteRun(NamedTuple):
    """How a project's own suite ended."""

    failed: tuple[str, ...]
    """Node ids, in order."""

    passed: int
    sound: bool
    """All tests were collected, and the run came to its end."""


def pristine(project: Project) -> Path:
    """Return the unpacked release; downloaded once per machine, its hash checked each time.

    Raises:
        subprocess.CalledProcessError: it could not be downloaded, or has another hash.
    """
    cache = Path(tempfile.gettempdir()) / f"overnight-defects-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    name = f"{project.name}-{project.version}"
    folder = cache / f"{name}-{project.sha256[:16]}"
    with (cache / "lock").open("w") as lock:
        # Tests of several processes want it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        archive = cache / f"{name}.tar.gz"
        if not archive.exists() or _sha256(archive) != project.sha256:
            _download(project, cache)
        # The folder's name holds the hash, and it appears under it only when it is whole.
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                # The archive is pinned, and tarfile of Python 3.11.2 knows no filters yet.
                subprocess.run(["tar", "-xzf", str(archive), "-C", scratch], check=True)
                (Path(scratch) / name).rename(folder)
    return folder


def copy_of(project: Project, target: Path) -> Path:
    """Copy the release to a new folder, which may be changed."""
    shutil.copytree(pristine(project), target)
    return target


def run_suite(folder: Path) -> SuiteRun:
    """Run all tests of a project's folder; one that does not end in a minute is not sound."""
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "outcomes.jsonl"
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", PLUGIN],
                cwd=folder,
                env={
                    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                    "HOME": scratch,
                    "PYTHONPATH": str(HERE / "recording"),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONHASHSEED": "0",
                    "OUTCOMES": str(record),
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return SuiteRun((), 0, sound=False)
        lines = record.read_text().splitlines() if record.exists() else []
    outcomes: dict[str, bool] = {}
    for test, passed in map(json.loads, lines):
        outcomes[test] = outcomes.get(test, True) and passed
    failed = tuple(test for test, passed in outcomes.items() if not passed)
    return SuiteRun(failed, len(outcomes) - len(failed), sound=done.returncode in (0, 1))


def _download(project: Project, cache: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wanted = Path(scratch) / "requirements.txt"
        pin = f"{project.name}=={project.version} --hash=sha256:{project.sha256}\n"
        wanted.write_text(pin)
        options = ["--quiet", "--no-deps", "--require-hashes", "--no-binary", project.name]
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", *options),
                *("-r", str(wanted), "-d", scratch),
            ],
            check=True,
            capture_output=True,
        )
        (archive,) = Path(scratch).glob("*.tar.gz")
        archive.rename(cache / f"{project.name}-{project.version}.tar.gz")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
