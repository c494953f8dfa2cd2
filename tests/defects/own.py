"""Small projects of our own: one with a linter and a type checker, one with nothing but tests."""

from pathlib import Path

from tests.defects.defect import Defect

LINTED_FILES = {
    "pyproject.toml": """\
[project]
name = "shapes"
version = "1.0"

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["B", "E", "F"]

[tool.mypy]
files = ["shapes"]
strict = true
""",
    "shapes/__init__.py": '"""Areas of shapes."""\n',
    "shapes/areas.py": '''\
"""Areas."""

import math


def circle(radius: float) -> float:
    """Return the area of a circle."""
    return math.pi * radius**2


def rectangle(width: float, height: float) -> float:
    """Return the area of a rectangle."""
    return width * height


def total(areas: list[float]) -> float:
    """Return the sum of areas."""
    return sum(areas)
''',
    "shapes/reading.py": '''\
"""Shapes from text."""

from shapes.areas import circle, rectangle


def read(text: str) -> float:
    """Return the area of `circle R` or `rectangle W H`; 0 for anything else."""
    name, *sizes = text.split()
    try:
        numbers = [float(size) for size in sizes]
    except ValueError:
        return 0.0
    if name == "circle":
        return circle(numbers[0])
    return rectangle(numbers[0], numbers[1]) if name == "rectangle" else 0.0


def read_all(lines: list[str], found: list[float] | None = None) -> list[float]:
    """Return the areas of all lines, after those found before."""
    return [*(found or []), *(read(line) for line in lines)]
''',
    "tests/test_shapes.py": """\
from shapes.areas import circle, rectangle, total
from shapes.reading import read, read_all


def test_areas():
    assert round(circle(1), 2) == 3.14
    assert rectangle(2, 3) == 6
    assert total([1.0, 2.0]) == 3.0


def test_reading():
    assert read("rectangle 2 3") == 6
    assert read("rectangle two three") == 0
    assert read_all(["rectangle 1 2"]) == [2.0]
""",
}

TINY_FILES = {
    "money.py": '''\
"""Amounts in cents."""


def share(cents: int, people: int) -> list[int]:
    """Split an amount; the first ones get a cent more where it does not divide."""
    each, left = divmod(cents, people)
    return [each + 1 if number < left else each for number in range(people)]


def percent(cents: int, rate: int) -> int:
    """Return a share of an amount, rounded half up."""
    return (cents * rate + 50) // 100
''',
    "test_money.py": """\
from money import share


def test_share():
    assert share(100, 3) == [34, 33, 33]


def test_nothing_is_lost():
    assert sum(share(1001, 7)) == 1001


def test_one_gets_all():
    assert share(5, 1) == [5]
""",
    "test_percent.py": """\
from money import percent


def test_percent():
    assert percent(250, 19) == 48
""",
}

FILES = {"shapes": LINTED_FILES, "tiny": TINY_FILES}

AREAS, READING = "shapes/areas.py", "shapes/reading.py"


def _defect(
    path: str, finding: str, original: str, mutated: str, wrong: str, marked: int = 0
) -> Defect:
    return Defect(
        project="shapes",
        path=path,
        operator=finding,
        original=original,
        mutated=mutated,
        wrong=wrong,
        failing=(finding,),
        marked=marked,
    )


LINTED = (
    _defect(
        AREAS,
        "ruff F401",
        "import math\n",
        "import math\nimport os\n",
        "import math\nimport re\n",
        1,
    ),
    _defect(
        AREAS,
        "ruff F841",
        "    return width * height\n",
        "    area = width * height\n    return width * height\n",
        "    size = width * height\n    return width * height\n",
    ),
    _defect(
        READING,
        "ruff E722",
        "    except ValueError:\n",
        "    except:\n",
        "    except (ValueErr):\n",
    ),
    _defect(
        READING,
        "ruff B006",
        "found: list[float] | None = None) -> list[float]:\n",
        "found: list[float] | None = []) -> list[float]:\n",
        "found: list[float] | None = list()) -> list[float]:\n",
    ),
    _defect(
        READING,
        "ruff E701",
        '    if name == "circle":\n        return circle(numbers[0])\n',
        '    if name == "circle": return circle(numbers[0])\n',
        '    if name == "disk": return circle(numbers[0])\n',
    ),
    _defect(
        AREAS,
        "mypy operator",
        "    return sum(areas)\n",
        "    return max(areas) + None\n",
        "    return areas\n",
    ),
    _defect(
        READING,
        "mypy attr-defined",
        "    name, *sizes = text.split()\n",
        "    name, *sizes = text.splitt()\n",
        "    name, *sizes = text.splits()\n",
    ),
    _defect(
        AREAS,
        "mypy return-value",
        "    return math.pi * radius**2\n",
        "    return str(math.pi * radius**2)\n",
        "    return [math.pi * radius**2]\n",
    ),
    _defect(
        AREAS,
        "mypy no-untyped-def",
        "def total(areas: list[float]) -> float:\n",
        "def total(areas: list[float]):\n",
        "def total(areas) -> float:\n",
    ),
    _defect(
        READING,
        "mypy arg-type",
        "        return circle(numbers[0])\n",
        "        return circle(sizes[0])\n",
        "        return circle(name)\n",
    ),
)


TINY = Defect(
    project="tiny",
    path="money.py",
    operator="comparison",
    original="number < left",
    mutated="number <= left",
    wrong="number > left",
    failing=(
        "test_money.py::test_share",
        "test_money.py::test_nothing_is_lost",
        "test_money.py::test_one_gets_all",
    ),
)


def write_project(name: str, folder: Path) -> Path:
    """Write a sound project."""
    for path, text in FILES[name].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder
