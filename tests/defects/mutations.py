"""Small wrong changes to Python source, found in its syntax tree; the same ones each time."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

FLIPPED = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}
EXCHANGED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Mod: ("%", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
}
SIMPLE = (ast.Name, ast.Attribute, ast.Constant, ast.Subscript)


class Mutation(NamedTuple):
    """One part of one line, and what stands there instead."""

    operator: str
    line: int
    start: int
    end: int
    """Columns in characters, from 0; the end is not included."""

    text: str

    def apply(self, source: str) -> str:
        """Return the source with the change."""
        lines = source.splitlines(keepends=True)
        line = lines[self.line - 1]
        lines[self.line - 1] = line[: self.start] + self.text + line[self.end :]
        return "".join(lines)


def mutations(source: str) -> list[Mutation]:
    """Return all changes that leave the source valid Python, by line and column."""
    lines = source.splitlines()
    found = {
        mutation
        for node in ast.walk(ast.parse(source))
        for mutation in _of_node(node, lines)
        if _is_valid(mutation.apply(source))
    }
    return sorted(found, key=lambda each: (each.line, each.start, each.operator, each.text))


def _is_valid(source: str) -> bool:
    try:
        compile(source, "mutated", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _of_node(node: ast.AST, lines: list[str]) -> Iterator[Mutation]:
    yield from _of_operators(node, lines)
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield from _replace("branch", test, lines, "not ({})")
        case ast.Return(value=ast.expr() as value):
            yield from _replace("return", value, lines, "None")
        case ast.Raise():
            yield from _replace("raise", node, lines, "pass")
        case ast.Call(args=[first, second], keywords=[]):
            yield from _swap(first, second, lines)
        case ast.Constant(value=bool() as flag):
            yield from _replace("constant", node, lines, str(not flag))
        case ast.Constant(value=int() as number):
            yield from _replace("off by one", node, lines, str(number + 1))


def _of_operators(node: ast.AST, lines: list[str]) -> Iterator[Mutation]:
    match node:
        case ast.Compare(left=left, ops=[_], comparators=[right]):
            yield from _between("comparison", left, right, lines, FLIPPED)
        case ast.BoolOp(values=[left, right, *_]):
            yield from _between("boolean", left, right, lines, {"and": "or", "or": "and"})
        case ast.BinOp(left=left, op=op, right=right) if type(op) in EXCHANGED:
            yield from _between("arithmetic", left, right, lines, dict([EXCHANGED[type(op)]]))


def _between(
    operator: str, left: ast.expr, right: ast.expr, lines: list[str], table: dict[str, str]
) -> Iterator[Mutation]:
    if left.end_lineno != right.lineno or left.end_col_offset is None:
        return
    line = lines[right.lineno - 1]
    start, end = _column(line, left.end_col_offset), _column(line, right.col_offset)
    middle = line[start:end]
    sign = re.sub(r"\s+", " ", middle.strip("() \t"))
    if sign in table:
        text = middle.replace(middle.strip("() \t"), table[sign])
        yield Mutation(operator, right.lineno, start, end, text)


def _replace(
    operator: str, node: ast.expr | ast.stmt, lines: list[str], form: str
) -> Iterator[Mutation]:
    place = _place(node, lines)
    if place is not None:
        line, start, end = place
        yield Mutation(operator, line, start, end, form.format(lines[line - 1][start:end]))


def _swap(first: ast.expr, second: ast.expr, lines: list[str]) -> Iterator[Mutation]:
    before, after = _place(first, lines), _place(second, lines)
    if before is None or after is None or before[0] != after[0]:
        return
    if not isinstance(first, SIMPLE) or not isinstance(second, SIMPLE):
        return
    line = lines[before[0] - 1]
    one, two = line[before[1] : before[2]], line[after[1] : after[2]]
    between = line[before[2] : after[1]]
    if one != two:
        yield Mutation("arguments", before[0], before[1], after[2], two + between + one)


def _place(node: ast.expr | ast.stmt, lines: list[str]) -> tuple[int, int, int] | None:
    """Return line, start and end in characters, for what stands on one line."""
    if node.end_lineno != node.lineno or node.end_col_offset is None:
        return None
    line = lines[node.lineno - 1]
    return node.lineno, _column(line, node.col_offset), _column(line, node.end_col_offset)


def _column(line: str, offset: int) -> int:
    # The tree counts bytes.
    return len(line.encode()[:offset].decode())
