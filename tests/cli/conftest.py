"""A scripted gateway, a person's environment that names it, and a terminal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stack import folder
from tests.cli.running import clean_environment
from tests.cli.scripted_gateway import Reply, Script, serving
from tests.cli.sessions import resource
from tests.cli.terminal import Terminal, sitting


@pytest.fixture
def script() -> Iterator[Script]:
    """Return a script that is served and knows one session."""
    script = Script()
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    with serving(script):
        yield script


@pytest.fixture
def remote(tmp_path: Path, script: Script) -> dict[str, str]:
    """Return an environment that names the scripted gateway."""
    home = clean_environment(tmp_path / "home", TERM="xterm", TZ="UTC")
    return {**home, "OVERNIGHT_URL": script.url, "OVERNIGHT_TOKEN": "secret"}


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with sitting() as terminal:
        yield terminal


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a prepared data folder."""
    path = tmp_path / "home"
    folder.prepare(path)
    return path
