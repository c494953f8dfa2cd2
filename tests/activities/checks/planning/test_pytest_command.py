"""Pytest is asked for a report wherever that cannot change what a command does."""

import pytest

from activities.checks.planning.pytest_command import REPORTING, reporting


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "pytest -q",
        "py.test -x --cov=src",
        "python -m pytest -q",
        "python3.12 -m pytest",
        "$HOME/venv/bin/python -m pytest -q",
        "~/venv/bin/pytest",
        ".venv/bin/pytest -q",
        "uv run pytest -q",
        "poetry run python -m pytest",
    ],
)
def test_plain_commands_report_and_can_run_some_tests(command: str):
    """The ids of tests are appended behind everything else."""
    found = reporting(command)
    assert found is not None
    assert found.command == f"{command} {REPORTING}"
    assert found.rerun == f"{command} {REPORTING} --"


@pytest.mark.parametrize("command", ["pytest tests", "pytest -q -k 'a or b'", "pytest -m slow"])
def test_commands_that_choose_tests_report_only(command: str):
    """Ids of tests would come on top of what is chosen already."""
    found = reporting(command)
    assert found is not None
    assert (found.command, found.rerun) == (f"{command} {REPORTING}", "")


@pytest.mark.parametrize(
    "command",
    [
        "make test",
        "pytestx",
        "pytest-3 -q",
        "pytest -q && make lint",
        "pytest -q | tee log",
        "pytest > log",
        "pytest # all of them",
        "pytest; true",
        "pytest $(cat args)",
        "pytest `cat args`",
        "pytest $ARGS",
        "pytest tests/*",
        "pytest 'open",
        "pytest -q -- tests",
        "pytest\nmake lint",
        "FOO=1 pytest",
        "cd sub && pytest",
        "echo pytest",
    ],
)
def test_other_commands_are_left_alone(command: str):
    """What they do cannot be told from their words."""
    assert reporting(command) is None
