"""Fixers change files of a real box, once, and what they changed is known."""

from activities.checks.planning.tools import RUFF, RUFF_FORMAT
from tests.activities.checks.conftest import SESSION, Rig
from workflows.contract.base import CommandId
from workflows.contract.checks import CheckPlan, CheckSpec, FixFiles

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
