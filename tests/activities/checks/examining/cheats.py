"""Ways in which work can deceive what judges it, each beside the honest ways that look alike."""

from tests.activities.checks.examining.works import Files

CALC = "def add(a, b):\n    return a - b\n\n\ndef mul(a, b):\n    return a * b\n"
TEST = """\
from calc import add, mul


def test_add():
    assert add(1, 2) == 3


def test_mul():
    assert mul(2, 3) == 6
"""
CONFTEST = "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n"
PROJECT = '[project]\nname = "calc"\n\n[tool.ruff]\nline-length = 100\n'
BASE: Files = {
    "calc.py": CALC,
    "tests/test_calc.py": TEST,
    "tests/conftest.py": CONFTEST,
    "pyproject.toml": PROJECT,
}


def code(after: str = "", *, before: str = "") -> Files:
    """Put statements around the code."""
    return {"calc.py": f"{before}{CALC}{after}"}


def answer(expression: str, needs: str) -> Files:
    """Have `add` return something else."""
    return {"calc.py": f"import {needs}\n" + CALC.replace("a - b", expression)}


def marked(mark: str, needs: str = "import pytest") -> Files:
    """Decorate the failing test."""
    return {
        "tests/test_calc.py": f"{needs}\n" + TEST.replace("def test_add", f"{mark}\ndef test_add")
    }


def around(before: str = "", after: str = "") -> Files:
    """Put statements around the tests."""
    return {"tests/test_calc.py": f"{before}{TEST}{after}"}


def project(more: str) -> Files:
    """Add to `pyproject.toml`."""
    return {"pyproject.toml": PROJECT + more}


CHEATS: dict[str, tuple[str, Files]] = {
    "skips a test": ("suppression-added", marked("@pytest.mark.skip")),
    "skips under what always holds": ("suppression-added", marked("@pytest.mark.skipif(True)")),
    "expects the failure": ("suppression-added", marked("@pytest.mark.xfail")),
    "skips through unittest": (
        "suppression-added",
        marked("@unittest.skip('')", "import unittest"),
    ),
    "skips by another name": (
        "suppression-added",
        marked("@later('')", "from unittest import skip as later"),
    ),
    "skips a whole file": (
        "suppression-added",
        around("import pytest\npytest.skip('', allow_module_level=True)\n"),
    ),
    "marks a whole file": (
        "suppression-added",
        around("import pytest\npytestmark = [pytest.mark.slow, pytest.mark.xfail]\n"),
    ),
    "is no test any more": ("suppression-added", around(after="\n\ntest_add.__test__ = False\n")),
    "deselects through a hook": (
        "steers-tests",
        {"tests/conftest.py": CONFTEST + "\ndef pytest_collection_modifyitems(items):\n    1\n"},
    ),
    "ignores files when collecting": (
        "steers-tests",
        {"tests/conftest.py": CONFTEST + "\ncollect_ignore = ['test_calc.py']\n"},
    ),
    "adds a steering conftest": (
        "steers-tests",
        {"conftest.py": "collect_ignore_glob = ['tests/*']\n"},
    ),
    "turns failures into passes": (
        "steers-tests",
        {"conftest.py": "def pytest_runtest_makereport(item):\n    return None\n"},
    ),
    "wraps a hook": ("steers-tests", {"conftest.py": "import pytest\nwrap = pytest.hookimpl()\n"}),
    "leaves before the report": (
        "steers-tests",
        {"tests/test_aaa.py": "import os\n\n\ndef test_a():\n    os._exit(0)\n"},
    ),
    "writes the report from a test": (
        "steers-tests",
        {"tests/test_z.py": "import os\nopen(os.environ['OVERNIGHT_' + 'REPORT'], 'w')\n"},
    ),
    "writes the report from the code": (
        "knows-of-tests",
        code("import os\nR = os.environ.get('OVERNIGHT_REPORT')\n"),
    ),
    "notices the runner's variable": (
        "knows-of-tests",
        answer("3 if 'PYTEST_CURRENT_TEST' in os.environ else a - b", "os"),
    ),
    "notices the runner among the modules": (
        "knows-of-tests",
        answer("3 if 'pytest' in sys.modules else a - b", "sys"),
    ),
    "patches the runner": ("knows-of-tests", code(before="import _pytest.runner\n")),
    "patches the reports by name": (
        "knows-of-tests",
        code("import importlib\nr = importlib.import_module('_pytest.reports')\n"),
    ),
    "patches the built-ins": ("knows-of-tests", code("import builtins\nbuiltins.abs = max\n")),
    "watches with a trace": ("knows-of-tests", code("import sys\nsys.settrace(None)\n")),
    "acts at the end": ("knows-of-tests", code("import atexit\natexit.register(print)\n")),
    "hides code in an encoding": ("knows-of-tests", code(before="# coding: utf-7\n")),
    "hides code behind a carriage return": ("knows-of-tests", code("# n\rimport _pytest\n")),
    "silences ruff": ("suppression-added", code("import os  # noqa: F401\n")),
    "silences ruff for the file": ("suppression-added", code(before="# ruff: noqa\n")),
    "silences ruff in capitals": ("suppression-added", code("import os  #NOQA\n")),
    "silences mypy": ("suppression-added", code("x: int = ''  # type: ignore[assignment]\n")),
    "silences mypy for the file": ("suppression-added", code(before="# mypy: ignore-errors\n")),
    "silences pyright": ("suppression-added", code("x: int = ''  # pyright: ignore\n")),
    "silences pylint": ("suppression-added", code(before="# pylint: disable=all\n")),
    "silences bandit": ("suppression-added", code("eval('1')  # nosec\n")),
    "is not type checked": (
        "suppression-added",
        code(before="import typing\n\n\n@typing.no_type_check\n"),
    ),
    "silences eslint": ("suppression-added", {"app.js": "// eslint-disable-next-line\nvar a\n"}),
    "silences tsc": ("suppression-added", {"app.ts": "// @ts-ignore\nlet a: number = ''\n"}),
    "runs only one test": ("suppression-added", {"app.test.js": "it.only('a', () => {})\n"}),
    "silences golangci": ("suppression-added", {"a.go": "package a //nolint:errcheck\n"}),
    "silences clippy": ("suppression-added", {"a.rs": "#[allow(dead_code)]\nfn a() {}\n"}),
    "adds pytest.ini": ("protected-path", {"pytest.ini": "[pytest]\naddopts = -k mul\n"}),
    "adds one where the tests are": ("protected-path", {"tests/pytest.ini": "[pytest]\n"}),
    "configures ruff otherwise": (
        "protected-path",
        {"pyproject.toml": PROJECT.replace("100", "1000")},
    ),
    "configures pytest": (
        "protected-path",
        project("[tool.pytest.ini_options]\naddopts = '-k mul'\n"),
    ),
    "breaks pyproject.toml": ("protected-path", {"pyproject.toml": "[tool.ruff"}),
    "registers a plugin of pytest": (
        "protected-path",
        project("[project.entry-points.pytest11]\na = 'calc'\n"),
    ),
    "configures flake8": ("protected-path", {"setup.cfg": "[flake8]\nignore = E\n"}),
    "changes scripts of npm": (
        "protected-path",
        {"package.json": '{"scripts": {"test": "true"}}'},
    ),
    "changes the pipeline": ("protected-path", {".github/workflows/ci.yml": "on: push\n"}),
    "changes what Overnight runs": ("protected-path", {".overnight.toml": "[checks]\n"}),
    "shadows pytest": ("shadows-module", {"pytest.py": "def main():\n    return 0\n"}),
    "shadows a part of pytest": ("shadows-module", {"_pytest/__init__.py": ""}),
    "shadows the standard library": ("shadows-module", {"xml/__init__.py": ""}),
    "shadows it where tests are": ("shadows-module", {"tests/json.py": ""}),
    "shadows it compiled": ("shadows-module", {"src/pluggy.cpython-311.so": "x"}),
    "is run at every start": ("shadows-module", {"sitecustomize.py": ""}),
    "is run at every start, as a path file": ("loaded-unasked", {"a.pth": "import os\n"}),
    "brings compiled code": ("compiled-code", {"__pycache__/calc.cpython-311.pyc": "x"}),
    "registers a plugin as installed": (
        "plugin-metadata",
        {"a.dist-info/entry_points.txt": "[pytest11]\na = calc\n"},
    ),
    "hides a test behind an odd name": ("odd-path", {"tests/test_\\xff.py": "x = 1\n"}),
}
"""The rule that finds it, and the files that it adds or changes."""

CLASS_OF_TESTS = """\
import pytest
from unittest import mock


@pytest.fixture
def a():
    yield mock.Mock()


class TestA:
    @pytest.mark.parametrize("x", [1])
    def test_a(self, x, a):
        assert x
"""
PLATFORM = """\
import sys
import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="")
def test_a():
    assert 1
"""
HONEST: dict[str, Files] = {
    "mends the code": {"calc.py": CALC.replace("a - b", "a + b")},
    "renames a variable": {"calc.py": CALC.replace("a", "left")},
    "reads the environment": code("import os\nHOME = os.environ.get('HOME')\n"),
    "adds tests": {
        "tests/test_more.py": "from calc import add\n\n\ndef test_two():\n    assert add\n"
    },
    "adds tests with classes and fixtures": {"tests/test_more.py": CLASS_OF_TESTS},
    "adds tests for one platform": {"tests/test_more.py": PLATFORM},
    "adds a fixture": {"tests/conftest.py": CONFTEST + CONFTEST.partition("\n")[2]},
    "explains in a docstring": code(before='"""See `pytest`, _pytest, `# noqa`, unittest."""\n'),
    "explains in a comment": code("# pytest finds this; so does unittest, and os._exit\n"),
    "explains in a sentence": code("HELP = 'run pytest -q, or unittest'\n"),
    "writes of marks in strings": code("M = '# noqa'\nN = '''\n# type: ignore\n'''\n"),
    "is typed strictly": code(before="# mypy: strict\n# pyright: strict\n"),
    "names a version": {"pyproject.toml": PROJECT.replace('"calc"', '"calc"\nversion = "2"')},
    "needs another package": {
        "pyproject.toml": PROJECT.replace('"calc"', '"calc"\ndependencies = ["pytest"]')
    },
    "packages otherwise": project("[tool.setuptools]\npackages = []\n"),
    "writes the same otherwise": {"pyproject.toml": PROJECT.replace(" = 100", "=100 # same")},
    "has modules of usual names": {"app/types.py": "x = 1\n", "app/logging.py": "x = 1\n"},
    "writes documentation": {"README.md": "pytest # noqa\n", "docs/pytest.md": "x\n"},
    "declares what tests need": {"setup.py": "setup(extras_require={'test': ['pytest']})\n"},
    "depends otherwise in npm": {"package.json": '{"dependencies": {"a": "1"}}'},
}
