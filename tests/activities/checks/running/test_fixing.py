"""Fixers change files of a real box, once, and what they changed is known."""

import asyncio

from activities.checks.planning.tools import RUFF, RUFF_FORMAT
from tests.activities.checks.conftest import SESSION, Rig
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommandId
from workflows.contract.checks import CheckPlan, CheckSpec, FixFiles
from workflows.contract.sandbox import StopCommand

PLAN = CheckPlan(checks=(RUFF, RUFF_FORMAT), source="test")


def request(rig: Rig, *files: str, plan: CheckPlan = PLAN) -> FixFiles:
    """Ask for the fixers over files."""
    assert rig.ready is not None
    return FixFiles(
        session=SESSION,
        turn=1,
        binding=rig.ready.binding,
        command_id=CommandId("fix"),
        plan=plan,
        files=files,
    )


async def test_what_can_be_mended_is_mended(rig: Rig):
    """Only in the files named, and those that changed are told."""
    await rig.open({"ruff.toml": ""})
    names = ("--fix.py", "it's $(a) b.py", "clean.py", "notes.md", "gone.py")
    rig.write(dict.fromkeys(names[:2], "import os\nx = {'a':1}\n"))
    rig.write({"clean.py": "x = 1\n", "notes.md": "import os\n", "other.py": "import os\n"})
    fixed = await rig.checks.fix(request(rig, *names))
    assert fixed.changed == names[:2]
    assert rig.path("--fix.py").read_text() == 'x = {"a": 1}\n'
    assert rig.path("notes.md").read_text() == rig.path("other.py").read_text() == "import os\n"
    rig.write({"clean.py": "import os\n"})
    rig.restart()
    assert await rig.checks.fix(request(rig, *names)) == fixed
    assert rig.path("clean.py").read_text() == "import os\n"


async def test_a_fixer_that_fails_stops_no_other(rig: Rig):
    """What it prints is not taken for what changed."""
    await rig.open()
    rig.write({"a.txt": "a\n", "b.txt": "b\n"})
    checks = (
        CheckSpec(name="one", command="true", fix="nosuchtool"),
        CheckSpec(name="two", command="true", fix="head -c 5000000 /dev/zero; exit 3;"),
        CheckSpec(name="three", command="true", fix='f() { echo more >> "$1"; }; f'),
    )
    plan = CheckPlan(checks=checks, source="test")
    assert (await rig.checks.fix(request(rig, "a.txt", "b.txt", plan=plan))).changed == ("a.txt",)


async def test_without_fixers_or_files_nothing_is_run(rig: Rig):
    """Not even a command."""
    await rig.open({"ruff.toml": ""})
    none = CheckPlan(checks=(CheckSpec(name="one", command="true"),), source="test")
    assert (await rig.checks.fix(request(rig, "a.py", plan=none))).changed == ()
    assert (await rig.checks.fix(request(rig))).changed == ()
    assert (await rig.checks.fix(request(rig, "gone.py"))).changed == ()


async def test_what_a_stopped_fixer_changed_is_told(rig: Rig):
    """The work holds it, whatever became of the fixer."""
    await rig.open()
    rig.write({"a.txt": "a\n", "b.txt": "b\n"})
    stuck = CheckSpec(name="one", command="true", fix='f() { echo more >> "$1"; sleep 600; }; f')
    plan = CheckPlan(checks=(stuck,), source="test")
    wanted = request(rig, "a.txt", "b.txt", plan=plan)
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        fixing = group.create_task(rig.checks.fix(wanted))
        while rig.path("a.txt").read_text() == "a\n":  # noqa: ASYNC110  # another process writes
            await asyncio.sleep(0.01)
        stop = StopCommand(
            session=SESSION, turn=1, step=0, binding=wanted.binding, command_id=wanted.command_id
        )
        await rig.sandboxes.stop_command(stop)
    assert fixing.result().changed == ("a.txt",)
