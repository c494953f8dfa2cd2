"""What `down` says of what it leaves."""

from pathlib import Path

import pytest

from tests.cli.running import clean_environment, overnight


@pytest.mark.parametrize(
    ("sandboxes", "said"),
    [
        ([], ""),
        (["s-1-r0"], "1 sandbox of an open session stays, "),
        (["s-1-r0", "s-2-r0"], "2 sandboxes of open sessions stay, "),
    ],
)
def test_down_tells_of_the_sandboxes_that_it_leaves(
    tmp_path: Path, sandboxes: list[str], said: str
):
    """They live on so that no work is lost; how to end one is said, too."""
    home = tmp_path / "home"
    for sandbox in sandboxes:
        (home / "sandboxes" / "boxes" / sandbox).mkdir(parents=True)
    done = overnight("down", environment=clean_environment(home))
    first, *others = done.stderr.splitlines()
    assert (done.returncode, first) == (0, "no stack runs")
    assert len(others) == bool(said)
    for line in others:
        assert line.startswith(said)
        assert line.endswith("then overnight stop SESSION --close")
