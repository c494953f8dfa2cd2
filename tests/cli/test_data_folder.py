"""A data folder that cannot be used: what the command line says, and that it ends."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from git import Repo

from activities.sandbox.canary import find_bwrap
from cli.problems import CliProblem
from cli.stack import folder, space
from tests.cli.running import ROOT, clean_environment, overnight
from tests.patience import PATIENCE_SECONDS
from tests.provider import sandbox_provider

MIB = 1024 * 1024
MODEL = {
    "OVERNIGHT_MODEL": "openai/scripted",
    "OVERNIGHT_MODEL_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_API_KEY": "none",
}

needs_namespaces = pytest.mark.skipif(
    sandbox_provider() != "bubblewrap", reason="small file systems are made by bubblewrap"
)


def in_a_disk_of(size: int, disk: Path, program: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a program with its data folder on a file system of so many bytes, which ends with it."""
    disk.mkdir(exist_ok=True)
    walls = ["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    small = ["--size", str(size), "--tmpfs", str(disk)]
    # There is no box within this one.
    home = {**clean_environment(disk / "home"), "OVERNIGHT_SANDBOX": "host"}
    return subprocess.run(
        [str(find_bwrap()), *walls, *small, "--", *program],
        env={**home, **MODEL, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@needs_namespaces
@pytest.mark.parametrize("size", [4_096, MIB])
@pytest.mark.parametrize("command", [["up"], ["run", "x", "--repo", "https://github.com/a/b"]])
def test_no_stack_is_started_on_a_full_disk(tmp_path: Path, size: int, command: list[str]):
    """It says how much room is missing at once: the database would fail without a word."""
    program = [sys.executable, "-m", "cli.main", *command]
    done = in_a_disk_of(size, tmp_path / "disk", program)
    assert done.returncode == 1
    assert "error[data_folder]: " in done.stderr
    assert "MiB free, at least 64 are needed" in done.stderr
    assert "free space" in done.stderr
    assert "Traceback" not in done.stderr


@needs_namespaces
def test_a_stack_outlives_a_full_disk(tmp_path: Path):
    """What needs the store is refused with the cure, the rest works; with room again all does."""
    repository = tmp_path / "repository"
    Repo.init(repository, initial_branch="main").index.commit("first")
    script = [sys.executable, "-m", "tests.cli.filling", str(repository)]
    done = in_a_disk_of(100 * MIB, tmp_path / "disk", script)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "before": [202, ""],
        "list while full": 0,
        "prompt while full": [503, "store_unavailable"],
        "the same afterwards": [202, ""],
        "down": 0,
    }


@pytest.mark.parametrize("command", [["ps"], ["down"], ["up"]])
def test_a_folder_that_cannot_be_is_named(tmp_path: Path, command: list[str]):
    """A name that no file system takes is an error of the folder, for each command that looks."""
    done = overnight(*command, environment=clean_environment(tmp_path / ("x" * 300)) | MODEL)
    assert done.returncode == 1
    assert done.stderr.startswith("error[data_folder]: ")
    assert "OVERNIGHT_HOME" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["lock", "ports.json", "logs", "run"])
def test_what_stands_in_the_way_is_an_error_of_the_folder(tmp_path: Path, name: str):
    """A folder where a file should be, or a file where a folder should be."""
    home = tmp_path / "home"
    home.mkdir()
    if name in ("logs", "run"):
        (home / name).write_text("")
    else:
        (home / name).mkdir()
    done = overnight("up", environment=clean_environment(home) | MODEL)
    assert done.returncode == 1
    assert done.stderr.startswith("error[data_folder]: ")
    assert "Traceback" not in done.stderr


def test_a_token_that_cannot_be_read_is_an_error_of_the_folder(tmp_path: Path):
    """Reading is using, too."""
    refused = pytest.raises(CliProblem, match="cannot be used: Is a directory")
    with refused as caught, folder.using(tmp_path):
        tmp_path.read_bytes()
    assert caught.value.code == "data_folder"


def test_a_database_that_is_none_is_said_so(tmp_path: Path):
    """With the server's own words, the file, and what to do about it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "temporal.db").write_text("this is no database\n" * 100)
    done = overnight("up", environment=clean_environment(home) | MODEL)
    assert done.returncode == 1
    assert "error[process_failed]: the temporal process" in done.stderr
    assert "file is not a database" in done.stderr
    assert f"{home / 'temporal.db'} may be damaged, of another version" in done.stderr
    assert (home / "temporal.db").read_text().startswith("this is no database")


def test_a_disk_with_room_is_no_shortage(tmp_path: Path):
    """The folder of the tests has more than a stack needs at the least."""
    assert shutil.disk_usage(tmp_path).free > space.LEAST_FREE_BYTES
    assert space.shortage(tmp_path) == ""


def test_a_disk_that_does_not_tell_is_no_shortage(tmp_path: Path):
    """A folder that is gone has another trouble, which is told elsewhere."""
    assert space.shortage(tmp_path / "gone") == ""
