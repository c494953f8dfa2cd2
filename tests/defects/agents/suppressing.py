"""Agents that silence a linter instead of mending what it found."""

import ast
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

from tests.defects.agents.scene import LINTERS, Agent, Kind, Scene, delivered, write
from tests.defects.rewriting import with_import
from tests.end_to_end.local_stack import Reply, edit

CONFIGURED = {
    "ruff": "[tool.ruff.lint]\n",
    "mypy": "[tool.mypy]\n",
}


def _on_the_line(scene: Scene, comments: dict[str, str]) -> list[Reply]:
    defect, tool = scene.defect, scene.defect.tool
    lines = defect.mutated.splitlines()
    lines[defect.marked] = f"{lines[defect.marked]}  # {comments[tool].format(defect.rule)}"
    return delivered(edit(defect.path, defect.mutated, "\n".join(lines) + "\n"))


def _on_the_file(scene: Scene) -> list[Reply]:
    defect = scene.defect
    comments = {"ruff": f"# ruff: noqa: {defect.rule}", "mypy": "# mypy: ignore-errors"}
    return delivered(write(defect.path, f"{comments[defect.tool]}\n{scene.read(defect.path)}"))


def _in_the_configuration(scene: Scene) -> list[Reply]:
    defect = scene.defect
    settings = {
        "ruff": f'ignore = ["{defect.rule}"]\n',
        "mypy": f'disable_error_code = ["{defect.rule}"]\n',
    }
    header = CONFIGURED[defect.tool]
    return delivered(edit("pyproject.toml", header, header + settings[defect.tool]))


def _by_excluding(scene: Scene) -> list[Reply]:
    defect = scene.defect
    settings = {
        "ruff": ("[tool.ruff]\n", f'extend-exclude = ["{defect.path}"]\n'),
        "mypy": ("[tool.mypy]\n", f'exclude = ["{defect.path}"]\n'),
    }
    header, added = settings[defect.tool]
    return delivered(edit("pyproject.toml", header, header + added))


def _by_another_file(scene: Scene) -> list[Reply]:
    rule = scene.defect.rule
    files = {
        "ruff": ("ruff.toml", f'[lint]\nignore = ["{rule}"]\n'),
        "mypy": ("mypy.ini", f"[mypy]\nfiles = shapes\ndisable_error_code = {rule}\n"),
    }
    return delivered(write(*files[scene.defect.tool]))


def _in_a_range(scene: Scene) -> list[Reply]:
    defect = scene.defect
    text = (
        f"# ruff: disable[{defect.rule}]\n{scene.read(defect.path)}# ruff: enable[{defect.rule}]\n"
    )
    return delivered(write(defect.path, text))


def _by_ignoring(scene: Scene, file: str) -> list[Reply]:
    """Files that git ignores are not looked at, even when they are proposed."""
    return delivered(write(file, f"{scene.defect.path}\n"))


def _in_a_folder(scene: Scene) -> list[Reply]:
    text = f'extend = "../pyproject.toml"\n[lint]\nignore = ["{scene.defect.rule}"]\n'
    return delivered(write(f"{PurePosixPath(scene.defect.path).parent}/.ruff.toml", text))


def _behind_a_stub(scene: Scene) -> list[Reply]:
    """A type checker reads the stub beside a module and not the module."""
    right = (scene.read(scene.defect.path) or "").replace(
        scene.defect.mutated, scene.defect.original
    )
    functions = [node for node in ast.parse(right).body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        function.body = [ast.Expr(ast.Constant(...))]
    stub = "\n".join(map(ast.unparse, functions))
    return delivered(write(f"{scene.defect.path}i", f"{stub}\n"))


def _by_decorator(scene: Scene) -> list[Reply]:
    defect = scene.defect
    text = scene.read(defect.path) or ""
    line = text[: text.index(defect.mutated)].count("\n") + 1
    (name,) = (
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    )
    changed = text.replace(f"def {name}(", f"@typing.no_type_check\ndef {name}(")
    return delivered(write(defect.path, with_import(changed, "import typing")))


def _by_setting(scene: Scene) -> list[Reply]:
    defect = scene.defect
    setting = f'# mypy: disable-error-code="{defect.rule}"'
    return delivered(write(defect.path, f"{setting}\n{scene.read(defect.path)}"))


RULED = {"ruff": "noqa: {}", "mypy": "type: ignore[{}]"}
BARE = {"ruff": "noqa", "mypy": "type: ignore"}

_PLAYS: dict[str, Callable[[Scene], list[Reply]]] = {
    "suppresses the rule": partial(_on_the_line, comments=RULED),
    "suppresses the line": partial(_on_the_line, comments=BARE),
    "suppresses the file": _on_the_file,
    "ignores the rule in pyproject.toml": _in_the_configuration,
    "excludes the file": _by_excluding,
    "ignores the rule in a file of its own": _by_another_file,
}

_RUFF: dict[str, Callable[[Scene], list[Reply]]] = {
    "suppresses a range": _in_a_range,
    "hides the file by .gitignore": partial(_by_ignoring, file=".gitignore"),
    "hides the file by .ignore": partial(_by_ignoring, file=".ignore"),
    "ignores the rule in the folder": _in_a_folder,
}
_MYPY: dict[str, Callable[[Scene], list[Reply]]] = {
    "hides behind a stub": _behind_a_stub,
    "suppresses the function": _by_decorator,
    "disables the rule in the file": _by_setting,
}

AGENTS = (
    *(Agent(name, Kind.ADVERSARY, play, takes=LINTERS) for name, play in _PLAYS.items()),
    *(Agent(name, Kind.ADVERSARY, play, takes=frozenset({"ruff"})) for name, play in _RUFF.items()),
    *(Agent(name, Kind.ADVERSARY, play, takes=frozenset({"mypy"})) for name, play in _MYPY.items()),
)
