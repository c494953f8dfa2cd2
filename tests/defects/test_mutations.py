"""Mutations are small, wrong and the same each time."""

import ast
from pathlib import Path

import pytest

from tests.defects.mutations import mutations

CASES = {
    "if a < b:\n    pass\n": {"if a <= b:\n    pass\n", "if not (a < b):\n    pass\n"},
    "x = a  is not  b\n": {"x = a  is  b\n"},
    "x = 'ä' in b and c\n": {"x = 'ä' not in b and c\n", "x = 'ä' in b or c\n"},
    "x = y[1:]\n": {"x = y[2:]\n"},
    "def f():\n    return f(a, b)\n": {
        "def f():\n    return None\n",
        "def f():\n    return f(b, a)\n",
    },
    "def f():\n    raise E\n": {"def f():\n    pass\n"},
    "x = a + b * c\n": {"x = a - b * c\n", "x = a + b + c\n"},
    "x = True\n": {"x = False\n"},
    "x = 'text'\n": set(),
}


@pytest.mark.parametrize(("source", "expected"), CASES.items())
def test_each_operator_changes_what_it_is_named_for(source: str, expected: set[str]) -> None:
    """Nothing else changes, and no other change is made."""
    assert {mutation.apply(source) for mutation in mutations(source)} == expected


def test_every_mutation_is_valid_and_on_one_line() -> None:
    """This file, mutated in all ways, is still Python of as many lines."""
    source = Path(__file__).read_text()
    found = mutations(source)
    assert len(found) > 5
    for mutation in found:
        changed = mutation.apply(source)
        ast.parse(changed)
        pairs = zip(source.splitlines(), changed.splitlines(), strict=True)
        assert [before != after for before, after in pairs].count(True) == 1
