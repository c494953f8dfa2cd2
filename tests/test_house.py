"""The house keeps its size and says what each room is for."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("workflows", "activities", "gateway", "runtime", "cli", "bench")
FILE_LINES = 400
FUNCTION_LINES = 60
PAGE_LINES = 250
MARKUP = (
    r"(?:inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser"
)


def sources() -> Iterator[Path]:
    for room in (*ROOMS, "tests"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "demo/project" not in path.as_posix():
                yield path


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    """No file over 400 lines, no function over 60."""
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gateway/page").iterdir()), ids=lambda path: path.name
)
def test_the_page_stays_small_and_makes_no_markup_from_text(path: Path) -> None:
    """Its files are short, and none has a way to turn text into elements or code."""
    text = path.read_text()
    assert len(text.splitlines()) <= PAGE_LINES
    assert re.findall(MARKUP, text) == []


def packages() -> list[Path]:
    found = [path for room in ROOMS for path in (ROOT / room).rglob("__init__.py")]
    return [path for path in found if "demo/project" not in path.as_posix()]


@pytest.mark.parametrize("path", packages(), ids=lambda path: path.parent.name)
def test_a_package_says_what_belongs_there(path: Path) -> None:
    """Its `__init__` holds a docstring and nothing else."""
    (statement,) = ast.parse(path.read_text()).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize(
    "module", ["activities.sandbox.adapter", "gateway.app", "cli.commands", "workflows.session"]
)
def test_litellm_stays_in_the_model_worker(module: str) -> None:
    """Importing any other process's code does not import it."""
    code = f"import sys, {module}; sys.exit('litellm' in sys.modules or 'openai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_lock_names_no_host() -> None:
    """It is the same wherever packages come from, and every one of them is hashed."""
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert text.count("\n    --hash=sha256:") >= text.count("==")
