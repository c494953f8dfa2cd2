"""Test files as somebody would change them who wants them to pass and nothing else."""

import ast
from collections.abc import Callable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
INDENT = 4


def without(text: str, names: set[str]) -> str:
    """Remove test functions."""
    return _edited(text, names, lambda _, node: [_margin(node) + "pass"])


def decorated(text: str, names: set[str], decorator: str) -> str:
    """Put a decorator of pytest on test functions."""
    made = _edited(text, names, lambda lines, node: [f"{_margin(node)}@{decorator}", *lines])
    return with_import(made, "import pytest")


def opened(text: str, names: set[str], statement: str) -> str:
    """Put a statement before all that test functions do."""

    def change(lines: list[str], node: Function) -> list[str]:
        first = node.body[0].lineno - _start(node)
        return [*lines[:first], _margin(node.body[0]) + statement, *lines[first:]]

    return with_import(_edited(text, names, change), "import pytest")


def swallowing(text: str, names: set[str]) -> str:
    """Let test functions pass whatever is raised in them."""

    def change(lines: list[str], node: Function) -> list[str]:
        first = node.body[0].lineno - _start(node)
        margin = _margin(node.body[0])
        body = [" " * INDENT + line if line.strip() else line for line in lines[first:]]
        end = [f"{margin}except BaseException:", f"{margin}{' ' * INDENT}pass"]
        return [*lines[:first], f"{margin}try:", *body, *end]

    return _edited(text, names, change)


def asserting_nothing(text: str, names: set[str]) -> str:
    """Replace each assertion of test functions by one that always holds."""
    return _statements_edited(text, names, _nothing)


def expecting_what_is(text: str, names: set[str]) -> str:
    """Replace what test functions expect by what they get."""
    return _statements_edited(text, names, _same)


def other_test(text: str, names: set[str]) -> str | None:
    """Return the name of a test function that is none of these."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function) and node.name.startswith("test") and node.name not in names:
            return node.name
    return None


def with_import(text: str, statement: str) -> str:
    """Add a line after the docstring and what must come first."""
    lines = text.splitlines()
    after = 0
    for node in ast.parse(text).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not is_docstring and not is_future:
            break
        after = node.end_lineno or 0
    return "\n".join([*lines[:after], statement, *lines[after:]]) + "\n"


def _edited(text: str, names: set[str], change: Callable[[list[str], Function], list[str]]) -> str:
    lines = text.splitlines()
    for node in reversed(list(_functions(text, names))):
        start, end = _start(node) - 1, node.end_lineno
        lines[start:end] = change(lines[start:end], node)
    return "\n".join(lines) + "\n"


def _statements_edited(text: str, names: set[str], change: Callable[[ast.stmt], str | None]) -> str:
    lines = text.splitlines()
    found = [
        statement
        for function in _functions(text, names)
        for statement in ast.walk(function)
        if isinstance(statement, ast.Assert | ast.Expr)
    ]
    for statement in sorted(found, key=lambda each: each.lineno, reverse=True):
        made = change(statement)
        if made is not None:
            lines[statement.lineno - 1 : statement.end_lineno] = [_margin(statement) + made]
    return "\n".join(lines) + "\n"


def _nothing(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Assert():
            return "assert True"
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name.startswith("assert"):
            return "assert True"
    return None


def _same(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Assert(test=ast.Compare(left=left)):
            got = ast.unparse(left)
            return f"assert ({got}) == ({got})"
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="assertEqual"), args=[got, _, *_])):
            same = ast.unparse(got)
            return f"self.assertEqual({same}, {same})"
    return _nothing(statement)


def _functions(text: str, names: set[str]) -> Iterator[Function]:
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, Function) and node.name in names
    ]
    return iter(sorted(found, key=lambda node: node.lineno))


def _start(node: Function) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _margin(node: ast.stmt) -> str:
    return " " * node.col_offset
