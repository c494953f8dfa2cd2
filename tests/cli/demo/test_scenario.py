"""What the demo's scripts do to its project, as the project's own tests see it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo import scenario
from cli.demo.playground import Playground
from cli.demo.script import Json

BROKEN = "test_five_thousand_cubic_centimetres_are_a_kilogram"
FAILING = {
    "test_a_bulky_parcel_costs_what_its_volume_stands_for",
    "test_the_volume_counts_every_started_half_kilogram",
}


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    made = Playground(tmp_path)
    made.make()
    return made


def failing(playground: Playground) -> tuple[set[str], int]:
    """Return the names of failing tests and how many pass."""
    run = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--no-header"]
    done = subprocess.run(
        run, cwd=playground.repository, capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    failed = {words[1].partition("::")[2] for words in lines if words[:1] == ["FAILED"]}
    return failed, sum(words[:1] == ["PASSED"] for words in lines)


def test_the_tests_of_the_project_warn_of_nothing(playground: Playground) -> None:
    """They are run in our own environment, whose plugins are not the project's."""
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        run, cwd=playground.repository, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "arning" not in done.stdout


def attempts(playground: Playground, replies: list[Json]) -> Iterator[None]:
    """Make the changes of a script; pauses where its model says that it is done."""
    for reply in replies:
        for call in reply["calls"]:
            arguments = call["arguments"]
            if call["name"] == "edit":
                path = playground.repository / arguments["path"]
                text = path.read_text()
                assert text.count(arguments["old_str"]) == 1
                path.write_text(text.replace(arguments["old_str"], arguments["new_str"]))
            elif arguments.get("command", "").startswith("git checkout"):
                playground.git(*arguments["command"].split()[1:])
            elif call["name"] == "finish":
                yield


def test_the_first_attempt_mends_two_tests_and_breaks_another(playground: Playground) -> None:
    """The project begins with two failures, has another one after the first attempt, then none."""
    (replies,) = scenario.script().values()
    found = [failing(playground), *(failing(playground) for _ in attempts(playground, replies))]
    assert found == [(FAILING, 17), ({BROKEN}, 18), (set(), 19)]
    assert playground.git("status", "--short").split() == ["M", "parcels/weight.py"]


def test_each_cheat_passes_its_own_tests_and_mends_nothing(playground: Playground) -> None:
    """Whoever asks only the tests that the work brings along is taken in by both cheats."""
    found = []
    (replies,) = scenario.cheat().values()
    for _ in attempts(playground, replies):
        changed = playground.git("diff", "--name-only").split()
        assert changed == ["tests/test_quote.py", "tests/test_weight.py"]
        found.append(failing(playground))
    assert found == [(set(), 17), *[(set(), 19)] * 3]
    playground.git("checkout", "--", "tests")
    assert failing(playground) == (FAILING, 17)
