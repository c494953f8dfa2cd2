"""The list of defects is what the generator finds, and each is what it says."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.defects import defect, generate, own
from tests.defects.defect import Defect
from tests.defects.projects import PROJECTS, pristine, run_suite

DEFECTS = defect.load()


def test_there_are_enough() -> None:
    """At least 40 defects in at least three projects, no two of them equal."""
    assert len({(each.project, each.path, each.mutated) for each in DEFECTS}) >= 40
    assert len({each.project for each in DEFECTS}) >= 3
    assert len({each.operator for each in DEFECTS}) >= 7
    assert len(DEFECTS) == len({(each.project, each.number) for each in DEFECTS})


@pytest.mark.parametrize("each", DEFECTS, ids=lambda each: f"{each.project}-{each.number}")
def test_its_texts_are_places_of_its_file(each: Defect) -> None:
    """The right text occurs once, and so do the others when they stand in its place."""
    text = (pristine(PROJECTS[each.project]) / each.path).read_text()
    assert text.count(each.original) == 1
    for other in (each.mutated, each.wrong):
        assert text.replace(each.original, other).count(other) == 1
    assert len({each.original, each.mutated, each.wrong}) == 3


@pytest.mark.parametrize("project", PROJECTS)
def test_a_defect_is_found_again(project: str) -> None:
    """The same try gives the same defect, with the same failing tests."""
    mine = [each for each in DEFECTS if each.project == project]
    chosen = mine[len(mine) // 2]
    assert generate.again(PROJECTS[project], chosen.number) == chosen


def test_our_tiny_defect_is_noticed(tmp_path: Path) -> None:
    """By the tests that it names, and so is its bad repair; the right text passes."""
    folder = own.write_project("tiny", tmp_path / "tiny")
    file = folder / own.TINY.path
    right = file.read_text()
    assert run_suite(folder).failed == ()
    file.write_text(right.replace(own.TINY.original, own.TINY.mutated))
    assert run_suite(folder).failed == own.TINY.failing
    file.write_text(right.replace(own.TINY.original, own.TINY.wrong))
    assert run_suite(folder).failed != ()


def test_linters_find_their_defects(tmp_path: Path) -> None:
    """Each its own and nothing else, something with the bad repairs, nothing in the right text."""
    folder = own.write_project("shapes", tmp_path / "shapes")
    assert _lint(folder) == Counter()
    for each in own.LINTED:
        file = folder / each.path
        right = file.read_text()
        file.write_text(right.replace(each.original, each.mutated))
        found = _lint(folder)
        assert each.failing[0] in found
        assert {name.partition(" ")[0] for name in found} == {each.tool}
        file.write_text(right.replace(each.original, each.wrong))
        assert _lint(folder) != Counter()
        file.write_text(right)


def _lint(folder: Path) -> Counter[str]:
    """Return tool and rule of all findings."""
    found = Counter[str]()
    ruff = _output(folder, "ruff", "check", "--no-cache", "--output-format=concise")
    found.update(f"ruff {line.split()[1]}" for line in ruff if line.startswith("shapes/"))
    mypy = _output(folder, "mypy", "--cache-dir=../cache", "--no-error-summary")
    found.update(f"mypy {line.rpartition('[')[2].rstrip(']')}" for line in mypy if "error:" in line)
    return found


def _output(folder: Path, module: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()
