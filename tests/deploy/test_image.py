"""What the image is made of, and what it runs."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.deploy.composed import OURS, ROOT, services
from tests.patience import PATIENCE_SECONDS

DOCKERFILE = (ROOT / "Dockerfile").read_text()
RUNTIME_LOCK = (ROOT / "requirements-runtime.lock").read_text()

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ;.*)? \\$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pins(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return the version and the hashes of each package of a lock."""
    parts = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    found = {}
    for part in parts:
        match = PINNED.match(part)
        if match is not None:
            found[match[1]] = (match[2], frozenset(HASH.findall(part)))
    return found


def test_the_runtime_lock_is_a_part_of_the_whole_lock() -> None:
    """The image has the versions that the tests ran with, from the same files."""
    whole, runtime = pins((ROOT / "requirements.lock").read_text()), pins(RUNTIME_LOCK)
    assert runtime
    assert set(runtime.items()) <= set(whole.items())
    assert all(hashes for _, hashes in runtime.values())
    assert "://" not in RUNTIME_LOCK


def test_the_runtime_lock_has_what_the_project_needs_and_no_tool_of_developers() -> None:
    """Each dependency is in it; of the extras, the image's own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = set(pins(RUNTIME_LOCK))
    assert _names([*project["dependencies"], *project["optional-dependencies"]["image"]]) <= runtime
    assert not {"mypy", "ruff", "playwright", "moto", "uv", "mini-swe-agent"} & runtime


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[ ]", each)[0].lower() for each in requirements}


def test_the_image_is_built_from_pinned_parts() -> None:
    """A base with its whole version, packages with hashes, and no user who may do everything."""
    assert re.search(r"^ARG BASE=python:\d+\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE}"}
    assert "--require-hashes" in DOCKERFILE
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["1000:1000"]


def test_every_file_that_is_copied_exists_and_is_let_in() -> None:
    """The list of what the build may see names all of them, and nothing that holds secrets."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = [name for line in lines for name in line.split()]
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    for name in copied:
        assert (ROOT / name).exists()


def test_all_packages_are_in_the_image() -> None:
    """What the wheel holds the image holds, installed, so that it knows its version."""
    assert "--no-build-isolation ." in DOCKERFILE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE))


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The entry point where the image has it: beside the virtual environment."""
    (tmp_path / "venv").symlink_to(sys.prefix)
    (tmp_path / "start").symlink_to(ROOT / "deploy/start.sh")
    return tmp_path / "start"


def run(
    start: Path, *words: str, variables: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.defpath, "HOME": str(start.parent), **(variables or {})}
    return subprocess.run(
        [str(start), *words],
        env=environment,
        cwd=start.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_it_says_what_it_can_run(start: Path) -> None:
    """Without a word that it knows it ends as wrongly used, and names the words."""
    assert run(start).returncode == 2
    assert run(start, "serve").returncode == 2
    known = run(start, "help")
    assert known.returncode == 0
    for word in ("gateway", "worker sessions|models|host", "overnight", "demo", "healthy"):
        assert word in known.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("overnight", "--help"), 0, "Usage: overnight"),
        (("demo", "--help"), 0, "Show a session"),
        (("worker",), 2, "sessions|models|host"),
        (("worker", "nobody"), 2, "sessions|models|host"),
    ],
)
def test_each_word_runs_its_program(
    start: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """The words after the first are the program's own."""
    done = run(start, *words)
    assert done.returncode == code
    assert said in done.stdout + done.stderr


def test_a_worker_is_healthy_while_its_file_is_fresh(start: Path) -> None:
    """It makes the file once it polls; one that it has not touched for a minute is no sign."""
    ready = start.parent / "ready"
    variables = {"OVERNIGHT_READY_FILE": str(ready)}
    assert run(start, "healthy", variables=variables).returncode != 0
    ready.touch()
    assert run(start, "healthy", variables=variables).returncode == 0
    os.utime(ready, (time.time() - 90,) * 2)
    assert run(start, "healthy", variables=variables).returncode != 0


def test_a_gateway_that_does_not_answer_is_not_healthy(start: Path) -> None:
    """Nor is a container of which nothing is known."""
    silent = run(start, "healthy", variables={"OVERNIGHT_GATEWAY_PORT": "1"})
    assert silent.returncode != 0
    assert "OVERNIGHT_READY_FILE" in run(start, "healthy").stderr


@pytest.mark.parametrize("name", OURS)
def test_every_service_runs_a_word_of_the_image(name: str) -> None:
    """Commands of the compose file are ones that the entry point knows."""
    word, *more = services()[name]["command"]
    assert f"  {word}) exec" in (ROOT / "deploy/start.sh").read_text()
    assert more == ([] if word == "gateway" else [name])


STAND_IN = """#!/bin/sh
echo "$SQL_PASSWORD $*" >> "{journal}"
"""


def test_the_schema_of_both_databases_is_made_and_brought_up_to_date(tmp_path: Path) -> None:
    """The server's own tool is called in its order, with the password out of the file."""
    journal = tmp_path / "calls"
    tool = tmp_path / "temporal-sql-tool"
    tool.write_text(STAND_IN.format(journal=journal))
    tool.chmod(0o755)
    (tmp_path / "password").write_text("word\n")
    subprocess.run(
        ["/bin/sh", str(ROOT / "deploy/schema.sh")],
        env={"PATH": f"{tmp_path}:{os.defpath}", "PASSWORD_FILE": str(tmp_path / "password")},
        check=True,
    )
    assert journal.read_text().splitlines() == [
        f"word --database {name} {step}"
        for name, folder in (("temporal", "temporal"), ("temporal_visibility", "visibility"))
        for step in (
            "create-database",
            "setup-schema --version 0.0",
            f"update-schema --schema-name postgresql/v12/{folder}",
        )
    ]
