"""What an agent knows of the defect before it, and how its replies are written."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.defects.defect import Defect
from tests.end_to_end.local_stack import Reply, edit, finish


class Scene(NamedTuple):
    """A defect in its repository, as the agent finds it."""

    defect: Defect
    folder: Path

    def read(self, path: str) -> str | None:
        """Return a file's text; none when there is none."""
        file = self.folder / path
        return file.read_text() if file.is_file() else None

    def test_files(self) -> dict[str, tuple[str, set[str]]]:
        """Return text and failing functions of each file with failing tests."""
        return {path: (self.read(path) or "", names) for path, names in self.defect.tests.items()}

    def tests_folder(self) -> str:
        """Return the folder of the first failing test, with a slash, or nothing for the top."""
        folder = Path(self.defect.failing[0].partition("::")[0]).parent.as_posix()
        return "" if folder == "." else f"{folder}/"


class Kind(StrEnum):
    """What should become of an agent's work."""

    ORACLE = "oracle"
    """It is right: a green pull request."""

    ADVERSARY = "adversary"
    """It is not: anything else."""

    BEYOND = "beyond"
    """It is not, but nothing that only runs the tests can tell; counted, never a failure."""


LINTERS = frozenset({"ruff", "mypy"})
ANYTHING = LINTERS | {"tests"}


class Agent(NamedTuple):
    """Makes the replies of a scripted model."""

    name: str
    kind: Kind
    play: Callable[[Scene], list[Reply]]
    takes: frozenset[str] = frozenset({"tests"})
    """By what the defects are found that it can do with."""

    steps: int = 60
    """Budget of its session."""

    def suits(self, defect: Defect) -> bool:
        """Tell whether it can do with such a defect."""
        return defect.tool in self.takes


def write(path: str, content: str) -> Reply:
    """Replace a whole file, or make it."""
    return {"calls": [{"name": "write", "arguments": {"path": path, "content": content}}]}


def repaired(scene: Scene, with_text: str | None = None) -> Reply:
    """Put the right text, or another, into the place of the defect."""
    defect = scene.defect
    return edit(defect.path, defect.mutated, with_text or defect.original)


def delivered(*replies: Reply) -> list[Reply]:
    """Do something and finish; the script goes on finishing when it is refused."""
    return [*replies, finish("All tests pass now.")]
