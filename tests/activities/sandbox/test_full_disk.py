"""A box whose disk is full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from activities.sandbox.canary import find_bwrap
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]


@pytest.mark.usefixtures("boxes_are_possible")
def test_an_end_that_finds_no_room_is_recorded_later(tmp_path: Path):
    """It is not lost and not told before it is written down; the output is whole, too."""
    walls = ["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    disk = ["--size", str(4 * 1024 * 1024), "--tmpfs", str(tmp_path), "--chdir", str(tmp_path)]
    done = subprocess.run(
        [
            *(str(find_bwrap()), *walls, *disk, "--setenv", "PYTHONPATH", str(ROOT), "--"),
            *(sys.executable, "-m", "tests.activities.sandbox.filling"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout) == {
        "while full": False,
        "outcome": "exited",
        "code": 3,
        "output": "before\nafter\n",
    }
