"""What the tests of adapters that use git share."""

from pathlib import Path

import pytest
from git import Repo

from activities.mirror import Mirrors
from runtime.settings import Settings
from tests.activities.repositories import make_origin


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def mirrors(settings: Settings) -> Mirrors:
    return Mirrors(settings)


@pytest.fixture
def origin(tmp_path: Path) -> Repo:
    """A person's repository."""
    return make_origin(tmp_path / "origin")
