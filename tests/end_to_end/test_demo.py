"""The demo as a person runs it: what it shows, what it leaves, and how it ends when stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.local_stack import git, until

DEMO = [sys.executable, "-P", "-m", "cli.demo"]


def environment_of(place: Path) -> dict[str, str]:
    """Return what a person without a model has set, to whom another gateway's token is known."""
    token = place.with_name(f"{place.name}-token")
    token.touch(0o600)
    token.write_text("x" * 40)
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place),
        "OVERNIGHT_TOKEN_FILE": str(token),
        "OVERNIGHT_SANDBOX": os.environ.get("OVERNIGHT_SANDBOX", "bubblewrap"),
    }


def processes_of(demo_folder: Path) -> list[str]:
    """Return what runs with the demo's folder in its command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(str(demo_folder) in word for word in words):
            found.append(f"{process.pid} {' '.join(words)[:200]}")
    return found


def passes_its_tests(repository: Path, revision: str, worktree: Path) -> bool:
    """Run the suite of a revision in a worktree of its own."""
    git(repository, "worktree", "add", "--quiet", "--detach", str(worktree), revision)
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(run, cwd=worktree, capture_output=True, check=False).returncode == 0


def played(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a demo to its end."""
    return subprocess.run(
        [*DEMO, *options],
        cwd=place,
        env=environment_of(place),
        capture_output=True,
        text=True,
        check=False,
    )


def verdicts_of(said: str) -> list[str]:
    """Return what the checks said of the work, time by time."""
    return [line.partition(" s  ")[2] for line in said.splitlines() if "  checks: " in line]


@pytest.fixture
def demo_folder(tmp_path: Path) -> Iterator[Path]:
    """Where the demo plays by default; nothing of it runs any more when the test is over."""
    folder = tmp_path / ".demo"
    yield folder
    until(lambda: not processes_of(folder), "no process of the demo is left")


def test_the_demo_ends_in_a_branch_that_passes(demo_folder: Path, tmp_path: Path) -> None:
    """Only the repository is left, its branch passes the suite, its base still fails."""
    done = played(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SCRIPTED: no OVERNIGHT_MODEL is set" in done.stderr
    assert verdicts_of(done.stderr) == [
        "checks: 1 new, 2 fixed → refused",
        "checks: all 19 tests pass → green",
    ]
    assert "test_five_thousand_cubic_centimetres_are_a_kilogram" in done.stderr
    assert "\nProposal\n" in done.stdout
    assert "pull request" not in (done.stdout + done.stderr).lower()
    assert "+    return math.ceil(parcel.volume_cm3 / STEP_CM3) * STEP_G" in done.stdout
    assert "\x1b" not in done.stdout
    assert processes_of(demo_folder) == []
    assert [path.name for path in demo_folder.iterdir()] == ["parcels"]
    repository = demo_folder / "parcels"
    (branch,) = git(repository, "branch", "--list", "overnight/*", "--format=%(refname)").split()
    assert passes_its_tests(repository, branch, tmp_path / "proposed")
    assert not passes_its_tests(repository, "main", tmp_path / "base")
    (merge,) = [line for line in done.stdout.splitlines() if line.startswith("merge ")]
    pasted = subprocess.run(merge.removeprefix("merge "), shell=True, cwd="/", check=False)  # noqa: S602  # as a person does
    assert pasted.returncode == 0
    assert git(repository, "rev-parse", "main") == git(repository, "rev-parse", branch)


def test_the_demo_of_a_cheat_ends_in_its_refusal(demo_folder: Path, tmp_path: Path) -> None:
    """Deleted and rewritten tests are both refused, a person is asked, and nothing is proposed."""
    done = played(tmp_path, "--cheat")
    assert done.returncode == 0, done.stderr
    said = verdicts_of(done.stderr)
    assert len(said) == 2
    assert all(line.endswith("→ refused") for line in said)
    assert "propose it all the same?" in done.stdout
    assert "Nothing was proposed: 2 cheats, 2 refusals, no branch" in done.stdout
    assert processes_of(demo_folder) == []
    repository = demo_folder / "parcels"
    assert git(repository, "branch", "--format=%(refname:short)").split() == ["main"]
    assert git(repository, "status", "--short") == ""
    assert not passes_its_tests(repository, "main", tmp_path / "base")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_leaves_no_process(
    demo_folder: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    """Stopped in the middle of a command, it ends everything and names the logs."""
    # A shell that runs the tests in the background lets them, and so the demo, ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seen = []
    with subprocess.Popen(
        DEMO, cwd=tmp_path, env=environment_of(tmp_path), stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            seen.append(line)
            if "bash: python" in line:
                demo.send_signal(stop)
    assert demo.returncode == 130, "".join(seen)
    assert processes_of(demo_folder) == []
    logs = demo_folder / "overnight-home" / "logs"
    assert f"the logs are in {logs}" in seen[-1]
    assert (logs / "host.log").is_file()
    boxes = demo_folder / "overnight-home" / "sandboxes" / "boxes"
    assert list(boxes.iterdir()) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The demo removes nothing but what demos make."""
    mine = tmp_path / "thesis.txt"
    mine.touch()
    done = subprocess.run(
        [*DEMO, "--folder", str(tmp_path)],
        env=environment_of(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "it holds thesis.txt" in done.stderr
    assert list(tmp_path.iterdir()) == [mine]
