"""The plan comes from the base commit, with the repository's own words for agents."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.checks.planning.tools import PYTEST
from runtime.transcript import read_instructions
from tests.activities.checks.conftest import SESSION, Rig
from tests.activities.repositories import commit_files, named
from workflows.contract.checks import CheckSpec, DetectChecks


async def test_the_plan_is_read_from_the_commit(rig: Rig):
    """What is written later does not change the plan."""
    commit_files(rig.repo, {".overnight.toml": "[checks]\nit = 'make test'\n"})
    request = DetectChecks(session=SESSION, repository=named(rig.repo), commit=rig.commit)
    commit_files(rig.repo, {".overnight.toml": "[checks]\nit = 'true'\n"})
    plan = await rig.checks.detect(request)
    assert plan.checks == (CheckSpec(name="it", command="make test"),)


async def test_a_repository_set_up_for_pytest_is_tested_with_it(rig: Rig):
    """Contents of the configuration files are looked at, also when they are not UTF-8."""
    assert (await rig.detect()).checks == ()
    commit_files(rig.repo, {"pyproject.toml": "[tool.pytest.ini_options]\n"})
    assert (await rig.detect()).checks == (PYTEST,)


async def test_a_broken_configuration_is_refused(rig: Rig):
    """The session does not go on with checks that nobody meant."""
    commit_files(rig.repo, {".overnight.toml": "[checks\n"})
    with pytest.raises(ApplicationError, match=r"\.overnight\.toml cannot be used"):
        await rig.detect()


async def test_the_repositorys_instructions_are_kept(rig: Rig):
    """The best known file counts; equal words have one name."""
    assert (await rig.detect()).instructions is None
    texts = {".github/copilot-instructions.md": "third", "CLAUDE.md": "second", "AGENTS.md": "it"}
    for name, text in texts.items():
        commit_files(rig.repo, {name: text})
        plan = await rig.detect()
        assert plan.instructions is not None
        assert await read_instructions(rig.store, plan.instructions) == text
    assert await rig.detect() == plan


async def test_empty_instructions_and_links_are_none(rig: Rig):
    """Nothing is read through a link, and the next file counts instead."""
    commit_files(rig.repo, {"AGENTS.md": " \n", "CLAUDE.md": "words"})
    plan = await rig.detect()
    assert plan.instructions is not None
    assert await read_instructions(rig.store, plan.instructions) == "words"
    (rig.origin / "CLAUDE.md").unlink()
    (rig.origin / "CLAUDE.md").symlink_to("/etc/passwd")
    commit_files(rig.repo, {})
    assert (await rig.detect()).instructions is None


async def test_long_instructions_are_cut(rig: Rig):
    """At 16,000 characters, and it is said."""
    commit_files(rig.repo, {"AGENTS.md": "é" * 1_000_000})
    plan = await rig.detect()
    assert plan.instructions is not None
    text = await read_instructions(rig.store, plan.instructions)
    assert len(text) == 16_000
    assert text.endswith("é\n[AGENTS.md is longer; view the file for the rest]")
