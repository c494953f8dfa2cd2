"""A small project and ways in which work on it fails its checks."""

from typing import NamedTuple

Files = dict[str, str]

TABLES = 12
"""Modules of the project, each with tests of its own."""

_CONFIGURATION = """\
[project]
name = "shop"

[tool.pytest.ini_options]
pythonpath = ["."]

[tool.ruff.lint]
select = ["E", "F", "B", "UP", "SIM"]

[tool.mypy]
strict = true
packages = ["shop"]
"""

_MONEY = '''\
"""Amounts of one currency."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Money:
    """So many cents."""

    cents: int

    def plus(self, other: "Money") -> "Money":
        """Add two amounts."""
        return Money(self.cents + other.cents)

    def times(self, count: int) -> "Money":
        """Multiply an amount."""
        return Money(self.cents * count)
'''


class State(NamedTuple):
    """What is changed, and what was wrong before."""

    name: str
    changed: Files
    before: Files


def project() -> Files:
    """Return a project whose checks all pass."""
    files = {"pyproject.toml": _CONFIGURATION, "shop/__init__.py": "", "shop/money.py": _MONEY}
    for number in range(TABLES):
        files |= {
            f"shop/table_{number}.py": _table(number),
            f"tests/test_table_{number}.py": _tests(number),
        }
    return files


def states() -> list[State]:
    """Return ways to fail, from a single assertion to all checks at once."""
    files = project()
    money, table = files["shop/money.py"], files["shop/table_3.py"]
    wrong_sum = {"shop/table_3.py": table.replace("price.times(count)", "price.times(count + 1)")}
    renamed = {"shop/money.py": money.replace("cents", "amount")}
    imports = {
        "shop/money.py": money.replace("class Money", "class Amount").replace("Money(", "Amount(")
    }
    untidy = {"shop/table_3.py": f"import os\nimport sys\n{table}" + _LONG_LINES}
    broken = {"shop/table_3.py": table.replace("def total(", "def total")}
    old_failures = {f"tests/test_old_{number}.py": _OLD for number in range(TABLES)}
    old_findings = {f"shop/old_{number}.py": _UNTIDY for number in range(TABLES)}
    return [
        State("one wrong result", wrong_sum, {}),
        State("one wrong result, 36 tests failed before", wrong_sum, old_failures),
        State("a renamed attribute: types and tests", renamed, {}),
        State("a renamed class: nothing can be imported", imports, {}),
        State("a syntax error", broken, {}),
        State("lint in one file", untidy, {}),
        State("lint in one file, 120 findings before", untidy, old_findings),
        State("everything at once", renamed | untidy, old_failures | old_findings),
    ]


def _table(number: int) -> str:
    return f'''\
"""Orders of table {number}."""

from shop.money import Money

PRICES = {{"tea": Money(250), "cake": Money(420), "soup": Money({600 + number})}}


def total(order: dict[str, int]) -> Money:
    """Return what an order costs."""
    result = Money(0)
    for name, count in order.items():
        price = PRICES[name]
        result = result.plus(price.times(count))
    return result


def discounted(order: dict[str, int], percent: int) -> Money:
    """Return what an order costs with a discount."""
    full = total(order)
    return Money(full.cents - full.cents * percent // 100)
'''


def _tests(number: int) -> str:
    return f"""\
import pytest

from shop.money import Money
from shop.table_{number} import discounted, total


@pytest.fixture
def order():
    return {{"tea": 2, "cake": 1, "soup": 1}}


def test_total(order):
    assert total(order) == Money({2 * 250 + 420 + 600 + number})


def test_total_of_nothing():
    assert total({{}}) == Money(0)


def test_unknown_dish():
    with pytest.raises(KeyError):
        total({{"pie": 1}})


@pytest.mark.parametrize(("percent", "cents"), [(0, 250), (10, 225), (100, 0)])
def test_discount(percent, cents):
    assert discounted({{"tea": 1}}, percent).cents == cents
"""


_OLD = """\
import pytest

from shop.money import Money


@pytest.mark.parametrize("cents", [1, 2, 3])
def test_division(cents):
    assert Money(cents).divided(2).cents == cents // 2
"""
_UNTIDY = """\
import os
import sys
from typing import Dict, List, Optional, Union

value = {}
try:
    value["a"] = 1
except:
    pass
"""
_LONG_LINES = "\n\nNOTES = (\n" + f'    "{"a long note " * 9}"\n' * 3 + ")\n"
