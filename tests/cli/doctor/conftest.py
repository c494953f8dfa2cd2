"""Environments for the doctor to look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import clean_environment
from tests.cli.scripted_gateway import Script, serving


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return an environment with an empty data folder and nothing else of ours."""
    (tmp_path / "home").mkdir(mode=0o700)
    return clean_environment(tmp_path / "home")


@pytest.fixture
def script() -> Iterator[Script]:
    """Return a script that is served."""
    script = Script()
    with serving(script):
        yield script
