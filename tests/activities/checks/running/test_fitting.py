"""A program is given only files of its own language."""

import pytest

from activities.checks.planning.tools import RUFF
from activities.checks.running.fitting import endings


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (RUFF.quick, (".py", ".pyi", ".ipynb")),
        ("$HOME/venv/bin/python -m mypy", (".py", ".pyi")),
        ("npx --no-install eslint --fix", endings("eslint")),
        ("/usr/bin/shellcheck -x", (".sh", ".bash")),
        ("make lint-files FILES=", ()),
        ("./check eslint.txt", ()),
        ("it's unbalanced ruff", (".py", ".pyi", ".ipynb")),
        ("", ()),
    ],
)
def test_the_program_tells(command: str, expected: tuple[str, ...]):
    """Unknown ones get every file."""
    assert endings(command) == expected
