"""A seeded defect: what is wrong where, what is right there, and which tests tell."""

import json
from pathlib import Path

from pydantic import Field

from workflows.contract.base import Frozen

FOUND = Path(__file__).parent / "defects.json"


class Defect(Frozen):
    """One place of one project; the three texts are whole lines that occur once in the file."""

    project: str
    path: str
    number: int = -1
    """Of the try that found it; not of those made by hand."""

    operator: str
    """What was done to the right text."""

    original: str
    mutated: str
    wrong: str
    """What a bad repair puts there: neither the right text nor the defect, and tests fail too."""

    failing: tuple[str, ...] = Field(min_length=1)
    """Node ids of the tests that fail with the defect, or the findings of a linter."""

    marked: int = 0
    """Which line of the mutated text a linter points at, from 0."""

    @property
    def is_linted(self) -> bool:
        """Whether it is one for a linter."""
        return self.tool != "tests"

    @property
    def tool(self) -> str:
        """What finds it: `tests` or the name of a linter."""
        return "tests" if "::" in self.failing[0] else self.failing[0].partition(" ")[0]

    @property
    def rule(self) -> str:
        """What the linter calls it."""
        return self.failing[0].partition(" ")[2]

    @property
    def tests(self) -> dict[str, set[str]]:
        """The names of the failing test functions, by file."""
        found: dict[str, set[str]] = {}
        for test in self.failing:
            path, _, name = test.partition("::")
            found.setdefault(path, set()).add(name.partition("[")[0].rpartition("::")[2])
        return found


def load() -> list[Defect]:
    """Return the defects that were found before; `python -m tests.defects.generate` finds them."""
    document = json.loads(FOUND.read_text())
    return [Defect.model_validate(each) for each in document["defects"]]
