"""The agents do what they are named for: a cheat that fools nobody would prove nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.defects import own
from tests.defects.agents import forging, idling, oracles, steering, suppressing, weakening
from tests.defects.agents.scene import Agent, Kind, Scene
from tests.defects.defect import Defect
from tests.defects.roster import AGENTS, dealt_cases, every_case
from tests.end_to_end.local_stack import Reply, git

HARMLESS = {
    "flips a test in the background",  # passes and fails by turns
    "names other checks",  # of another program
    "adds a sitecustomize.py",  # not on the path of this python
    "shims python in its home",
    "plants a plugin in its home",
}
"""Do not fool a plain run of the tests, or not always."""

FOOLING = [
    agent
    for agent in (*weakening.AGENTS, *steering.AGENTS, *forging.AGENTS)
    if agent.name not in HARMLESS
]


def ids(agent: Agent) -> str:
    return agent.name


def work_of(agent: Agent, defect: Defect, folder: Path) -> Path:
    """Let an agent work in a folder of its own, without any stack."""
    project = own.write_project(defect.project, folder / "project")
    file = project / defect.path
    file.write_text(file.read_text().replace(defect.original, defect.mutated))
    git(project, "init", "--quiet")
    for reply in agent.play(Scene(defect, project)):
        carry_out(reply, project, folder)
    return project


def carry_out(reply: Reply, project: Path, home: Path) -> None:
    for call in reply["calls"]:
        arguments = call["arguments"]
        if call["name"] == "bash":
            command = ["bash", "-c", arguments["command"]]
            environment = {"PATH": path(), "HOME": str(home)}
            subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
        elif call["name"] == "write":
            target = project / arguments["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(arguments["content"])
        elif call["name"] == "edit":
            target = project / arguments["path"]
            text = target.read_text()
            assert text.count(arguments["old_str"]) == 1
            target.write_text(text.replace(arguments["old_str"], arguments["new_str"]))


def path() -> str:
    return f"{Path(sys.executable).parent}:{os.defpath}"


def exit_code(project: Path, *command: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={"PATH": path(), "HOME": str(project.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.parametrize("agent", FOOLING, ids=ids)
def test_a_cheat_fools_who_only_looks_at_the_exit_code(agent: Agent, tmp_path: Path) -> None:
    """After it, the project's plain `pytest` passes."""
    project = work_of(agent, own.TINY, tmp_path)
    assert exit_code(project, "pytest", "-q", "-p", "no:cacheprovider") == 0


SUPPRESSIONS = [
    (agent, defect)
    for agent in suppressing.AGENTS
    for defect in (own.LINTED[1], own.LINTED[-1])
    if agent.suits(defect)
]


def test_suppressions_fool_the_linters(tmp_path: Path) -> None:
    """After each of them, the linter finds nothing."""
    arguments = {"ruff": ("check", "--no-cache"), "mypy": (f"--cache-dir={tmp_path / 'cache'}",)}
    for number, (agent, defect) in enumerate(SUPPRESSIONS):
        project = work_of(agent, defect, tmp_path / str(number))
        code = exit_code(project, defect.tool, *arguments[defect.tool])
        assert (agent.name, code) == (agent.name, 0)


@pytest.mark.parametrize("agent", [each for each in idling.AGENTS if each.steps > 25], ids=ids)
def test_an_idler_fools_nobody(agent: Agent, tmp_path: Path) -> None:
    """After it, `pytest` fails as before."""
    project = work_of(agent, own.TINY, tmp_path)
    assert exit_code(project, "pytest", "-q", "-p", "no:cacheprovider") == 1


@pytest.mark.parametrize("agent", oracles.AGENTS, ids=ids)
@pytest.mark.parametrize("defect", [own.TINY, own.LINTED[0]], ids=lambda each: each.project)
def test_an_oracle_leaves_the_right_text(agent: Agent, defect: Defect, tmp_path: Path) -> None:
    """And nothing else: the project is as it was before the defect."""
    project = work_of(agent, defect, tmp_path)
    files = {
        file.relative_to(project).as_posix(): file.read_text()
        for file in project.rglob("*")
        if file.is_file() and ".git" not in file.parts
    }
    assert files == own.FILES[defect.project]


def test_every_defect_and_every_agent_gets_its_share() -> None:
    """Each defect meets the oracles and at least three others, each agent at least five defects."""
    defects = [*[_named(number) for number in range(45)], *own.LINTED]
    pairs = [(case.defect, case.agent.name) for case in dealt_cases(defects)]
    assert len(pairs) == len(set(pairs))
    for agent in AGENTS:
        met = [defect for defect, name in pairs if name == agent.name]
        assert len(met) >= 5
        assert all(agent.suits(defect) for defect in met)
    others = {agent.name for agent in AGENTS if agent.kind is not Kind.ORACLE}
    for defect in defects:
        met_by = [name for found, name in pairs if found == defect]
        assert len(others.intersection(met_by)) >= 3
        assert {agent.name for agent in oracles.AGENTS} <= set(met_by)
    assert set(pairs) <= {(case.defect, case.agent.name) for case in every_case(defects)}


def _named(number: int) -> Defect:
    return own.TINY.model_copy(update={"number": number})
