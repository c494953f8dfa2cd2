"""A tool is run when the repository is set up for it, and not otherwise."""

import pytest

from activities.checks.planning import tools
from activities.checks.planning.tools import find

PYPROJECT = "pyproject.toml"


@pytest.mark.parametrize(
    ("files", "texts", "name", "source"),
    [
        ([], {PYPROJECT: "[tool.pytest.ini_options]\n"}, "pytest", PYPROJECT),
        ([], {PYPROJECT: "[ tool.pytest ]\n"}, "pytest", PYPROJECT),
        ([], {"tox.ini": "[tox]\n[pytest]\n"}, "pytest", "tox.ini"),
        ([], {"setup.cfg": "[tool:pytest]\n"}, "pytest", "setup.cfg"),
        (["pytest.ini"], {}, "pytest", "pytest.ini"),
        (["src/a.py", "tests/test_a.py"], {}, "pytest", "tests/test_a.py"),
        (["pkg/a_test.py"], {}, "pytest", "pkg/a_test.py"),
        ([], {PYPROJECT: "[tool.ruff]\n"}, "ruff", PYPROJECT),
        ([], {PYPROJECT: "[tool.ruff.lint]\nselect = ['E']\n"}, "ruff", PYPROJECT),
        (["ruff.toml"], {"ruff.toml": ""}, "ruff", "ruff.toml"),
        ([".ruff.toml"], {}, "ruff", ".ruff.toml"),
        ([], {PYPROJECT: "[tool.mypy]\n"}, "mypy", PYPROJECT),
        ([], {"mypy.ini": "[mypy]\n"}, "mypy", "mypy.ini"),
        ([], {".mypy.ini": "[mypy]\nfiles = a\n"}, "mypy", ".mypy.ini"),
        ([], {"setup.cfg": "[mypy]\n"}, "mypy", "setup.cfg"),
        ([], {PYPROJECT: "[tool.pyright]\n"}, "pyright", PYPROJECT),
        (["pyrightconfig.json"], {}, "pyright", "pyrightconfig.json"),
        ([".pre-commit-config.yaml"], {}, "pre-commit", ".pre-commit-config.yaml"),
    ],
)
def test_a_tool_is_found_by_its_configuration(
    files: list[str], texts: dict[str, str], name: str, source: str
):
    """Or, for pytest, by a file of tests; the source says which."""
    assert [(tool.spec.name, tool.source) for tool in find(files, texts)] == [(name, source)]


@pytest.mark.parametrize(
    ("files", "texts"),
    [
        ([], {}),
        (["README.md", "testing.py", "test_a.txt", "contest_a.pyc"], {}),
        (["sub/pytest.ini", "sub/ruff.toml", "sub/pyrightconfig.json"], {}),
        (["node_modules/gyp/test_a.py", ".venv/lib/test_b.py"], {}),
        ([], {PYPROJECT: "[tool.black]\n[tool.coverage.run]\n", "tox.ini": "[testenv]\n"}),
        ([], {PYPROJECT: "[tool.ruff", "tox.ini": "no section", "setup.cfg": "[a\n[mypy]"}),
        ([], {PYPROJECT: "tool = 1\n"}),
        ([], {PYPROJECT: "a = " + "[" * 100_000}),
        (["Makefile", "noxfile.py", "tox.ini"], {"tox.ini": "[tox]\n"}),
    ],
)
def test_nothing_else_is_found(files: list[str], texts: dict[str, str]):
    """Broken files are no configuration."""
    assert find(files, texts) == []


def test_formatting_is_checked_where_it_is_configured():
    """It is a check of its own, behind the linter."""
    for texts in ({PYPROJECT: "[tool.ruff.format]\n"}, {"ruff.toml": "[format]\n"}):
        files = [name for name in texts if name == "ruff.toml"]
        assert [tool.spec for tool in find(files, texts)] == [tools.RUFF, tools.RUFF_FORMAT]


def test_hooks_are_run_where_nothing_else_lints():
    """They mostly start the same tools."""
    files = [".pre-commit-config.yaml", "ruff.toml", "test_a.py"]
    assert [tool.spec.name for tool in find(files, {})] == ["ruff", "pytest"]
    assert [tool.spec.name for tool in find([files[0], files[2]], {})] == ["pre-commit", "pytest"]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("[tool.mypy]\nstrict = true\n", " ."),
        ("[tool.mypy]\nfiles = ['src']\n", " json"),
        ("[tool.mypy]\npackages = ['a']\n", " json"),
        ("[tool.mypy]\nmodules = 'a'\n", " json"),
        ("[tool.mypy]\nfiles = []\n", " ."),
    ],
)
def test_mypy_is_told_where_to_look_unless_it_knows(text: str, end: str):
    """Without a place it would end with a question."""
    (found,) = find([], {PYPROJECT: text})
    assert found.spec.command.endswith(end)
