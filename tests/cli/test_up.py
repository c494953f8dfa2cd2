"""The local stack as a whole: the real server, workers and gateway, driven by `overnight`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stack import folder
from tests.cli.running import ROOT, clean_environment, is_alive, overnight, wait_until
from tests.patience import PATIENCE_SECONDS

NAMES = {"gateway", "host", "models", "sessions", "temporal"}


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment of a stack of its own, which is stopped in the end."""
    environment = clean_environment(
        tmp_path / "home",
        OVERNIGHT_MODEL="openai/none",
        OVERNIGHT_MODEL_BASE_URL="http://127.0.0.1:9/v1",
    )
    yield environment
    overnight("down", environment=environment)


def test_up_ps_and_down(environment: dict[str, str]):
    """`up` in the foreground tells its processes, `ps` reaches them, `down` leaves none."""
    home = Path(environment["OVERNIGHT_HOME"])
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "up"],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: folder.read_record(home) or running.poll() is not None)
    record = folder.read_record(home)
    assert record is not None
    assert set(record.processes) == NAMES
    listed = overnight("ps", "-a", environment=environment)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "no sessions" in listed.stderr
    os.kill(record.processes["gateway"], signal.SIGKILL)
    # The client repeats while the supervisor starts the gateway again.
    assert overnight("ps", environment=environment).returncode == 0
    assert overnight("down", environment=environment).returncode == 0
    shown, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0
    assert record.gateway_url in shown
    assert f"page: {record.gateway_url}/ (sign in with: overnight open)" in said
    assert "ready in" in said
    assert not any(is_alive(pid) for pid in record.processes.values())


def test_run_starts_the_stack_when_none_runs(environment: dict[str, str], tmp_path: Path):
    """`run` starts the stack in the background, says so, and its session is listed."""
    repo = tmp_path / "repo"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(repo)], check=True)
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(
        ["git", *author, "-C", str(repo), "commit", "--quiet", "--allow-empty", "--message=first"],
        check=True,
    )
    arguments = ("run", "Fix it", "--repo", str(repo), "--detach", "-o", "id")
    started = overnight(*arguments, environment=environment)
    assert started.returncode == 0, started.stderr
    assert "overnight down" in started.stderr
    session = started.stdout.strip()
    listed = json.loads(overnight("ps", "-a", "-o", "json", environment=environment).stdout)
    assert [each["id"] for each in listed] == [session]
    again = overnight(*arguments, environment=environment)
    assert again.returncode == 0
    assert "started" not in again.stderr
    for each in (session, again.stdout.strip()):
        overnight("stop", each, "--close", environment=environment)
    boxes = Path(environment["OVERNIGHT_HOME"]) / "sandboxes" / "boxes"
    wait_until(lambda: is_closed(environment) and not any(boxes.glob("*")))


def is_closed(environment: dict[str, str]) -> bool:
    """Tell whether no session is open."""
    return overnight("ps", "-o", "id", environment=environment).stdout.strip() == ""
