"""Stacks that leave nothing behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.local_stack import LocalStack, Reply, make_repository

CODE = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
}

StackFactory = Callable[[dict[str, list[Reply]]], LocalStack]


@pytest.fixture
def stack_of(tmp_path: Path) -> Iterator[StackFactory]:
    """Makes stacks that are not started yet; each ends with its test and leaves no process."""
    made: list[LocalStack] = []

    def make(scripts: dict[str, list[Reply]]) -> LocalStack:
        base = tmp_path / f"stack-{len(made)}"
        base.mkdir()
        made.append(LocalStack(base, scripts))
        return made[-1]

    yield make
    for stack in made:
        stack.end()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small project whose one test fails."""
    return make_repository(tmp_path / "repository", CODE)
