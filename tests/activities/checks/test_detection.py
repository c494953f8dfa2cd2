"""The plan is what the repository names, or the test runner that it is set up for."""

import pytest

from activities.checks.detection import PYTEST, detect
from activities.configuration import RepositoryConfiguration
from workflows.contract.checks import CheckSpec

DEFAULT = RepositoryConfiguration()


def test_named_checks_win():
    """Nothing is added to what the repository names, not even when it names none."""
    named = (CheckSpec(name="lint", command="make lint"),)
    for checks in (named, ()):
        plan = detect(RepositoryConfiguration(checks=checks), ["test_a.py"], {})
        assert plan.checks == checks
        assert ".overnight.toml" in plan.source


@pytest.mark.parametrize(
    ("files", "texts", "source"),
    [
        ([], {"pyproject.toml": "[tool.pytest.ini_options]\n"}, "pyproject.toml"),
        ([], {"pyproject.toml": "[ tool.pytest ]\n"}, "pyproject.toml"),
        ([], {"tox.ini": "[tox]\n[pytest]\n"}, "tox.ini"),
        ([], {"setup.cfg": "[tool:pytest]\n"}, "setup.cfg"),
        (["pytest.ini"], {}, "pytest.ini"),
        (["src/a.py", "tests/test_a.py"], {}, "tests/test_a.py"),
        (["pkg/a_test.py"], {}, "pkg/a_test.py"),
    ],
)
def test_pytest_is_found(files: list[str], texts: dict[str, str], source: str):
    """Configuration or a test file will do; the plan says which."""
    plan = detect(DEFAULT, files, texts)
    assert plan.checks == (PYTEST,)
    assert plan.source.startswith(source)


@pytest.mark.parametrize(
    ("files", "texts"),
    [
        ([], {}),
        (["README.md", "testing.py", "test_a.txt", "contest_a.pyc", "sub/pytest.ini"], {}),
        (["node_modules/gyp/test_a.py", ".venv/lib/test_b.py"], {}),
        (["pyproject.toml"], {"pyproject.toml": "[tool.ruff]\n", "tox.ini": "[testenv]\n"}),
    ],
)
def test_a_repository_without_tests_has_no_checks(files: list[str], texts: dict[str, str]):
    """The plan then says where checks can be named."""
    plan = detect(DEFAULT, files, texts)
    assert plan.checks == ()
    assert ".overnight.toml" in plan.source
