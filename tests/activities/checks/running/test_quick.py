"""Edited files are looked at in a real box, and only what is new is told."""

from activities.checks.planning.tools import RUFF
from tests.activities.checks.conftest import SESSION, Rig
from workflows.contract.base import CommandId
from workflows.contract.checks import Baseline, CheckPlan, CheckSpec, QuickCheck, QuickResult
from workflows.contract.transcript import UserMessage

PLAN = CheckPlan(checks=(RUFF,), source="test")
NO_CHECKS = CheckPlan(source="test")


async def look(
    rig: Rig,
    *files: str,
    plan: CheckPlan = PLAN,
    baseline: Baseline | None = None,
    told: str = "",
) -> QuickResult:
    """Look at files as a session does after an edit."""
    assert rig.ready is not None
    rig.commands += 1
    request = QuickCheck(
        session=SESSION,
        turn=1,
        step=2,
        binding=rig.ready.binding,
        command_id=CommandId(f"q{rig.commands}"),
        plan=plan,
        baseline=baseline,
        files=files,
        told=told,
    )
    return await rig.checks.quick(request)


async def text_of(rig: Rig, result: QuickResult) -> str:
    """Return the message for the model."""
    assert result.message is not None
    message = await rig.transcripts.get(result.message)
    assert isinstance(message, UserMessage)
    return message.text


async def test_new_findings_are_told_once_and_their_end_too(rig: Rig):
    """A session's way from an edit to its repair."""
    await rig.open({"ruff.toml": "", "a.py": "x = 1\n"})
    rig.write({"a.py": "import os\n"})
    red = await look(rig, "a.py")
    assert (red.findings, red.shown) == (1, ("a.py:1: `os` imported but unused [F401]",))
    text = await text_of(rig, red)
    assert "- a.py:1: `os` imported but unused [F401]\n      import os" in text
    rig.write({"a.py": "# moved down\nimport os\n"})
    again = await look(rig, "a.py", told=red.told)
    assert (again.findings, again.message, again.told) == (1, None, red.told)
    rig.write({"a.py": "x = 1\n"})
    clean = await look(rig, "a.py", told=red.told)
    assert (clean.findings, clean.told, clean.shown) == (0, "", ())
    assert (await text_of(rig, clean)).endswith("any more in: a.py")
    assert (await look(rig, "a.py")).message is None


async def test_what_was_there_at_the_base_is_not_told(rig: Rig):
    """Nor is it when its line has moved; before the baseline is known, all is told."""
    await rig.open({"ruff.toml": "", "a.py": "import os\n"})
    baseline = await rig.baseline(PLAN)
    rig.write({"a.py": "# a line\nimport os\n"})
    known = await look(rig, "a.py", baseline=baseline)
    assert (known.findings, known.message) == (0, None)
    unknown = await look(rig, "a.py")
    assert unknown.findings == 1
    assert "perhaps there before" in await text_of(rig, unknown)
    rig.write({"a.py": "# a line\nimport os\nimport sys\n"})
    both = await look(rig, "a.py", baseline=baseline)
    assert both.shown == ("a.py:3: `sys` imported but unused [F401]",)


async def test_without_a_linter_files_must_compile(rig: Rig):
    """They are not executed, and nothing is written beside them."""
    await rig.open()
    rig.write({"good.py": "open('ran', 'w')\n", "bad.py": "x = (\n", "bad.txt": "x = (\n"})
    result = await look(rig, "good.py", "bad.py", "bad.txt", plan=NO_CHECKS)
    assert result.findings == 1
    assert result.shown[0].startswith("bad.py:1: '(' was never closed")
    names = {path.name for path in rig.path(".").iterdir()}
    assert names == {".git", "README.md", "src", "good.py", "bad.py", "bad.txt"}


async def test_a_broken_file_is_told_of_by_one_check_only(rig: Rig):
    """A linter says it, so the compiler need not, whether or not we know the linter."""
    await rig.open({"ruff.toml": ""})
    rig.write({"bad.py": "x = (\n"})
    result = await look(rig, "bad.py")
    assert result.findings > 0
    assert all("[invalid-syntax]" in line for line in result.shown)
    lint = CheckSpec(name="lint", command="true", quick="./lint")
    rig.write({"lint": "#!/bin/sh\necho bad.py:1:5: error: open; exit 1\n"})
    rig.path("lint").chmod(0o755)
    result = await look(rig, "bad.py", plan=CheckPlan(checks=(lint,), source="test"))
    assert result.shown == ("bad.py:1: open",)


async def test_what_cannot_be_run_is_left_out(rig: Rig):
    """A tool that is missing, hangs, or says what nobody understands: the gate will tell."""
    await rig.open()
    rig.write({"a.py": "x = (\n"})
    checks = (
        CheckSpec(name="gone", command="true", quick="nosuchtool"),
        RUFF.model_copy(update={"name": "mute", "quick": "true"}),
        CheckSpec(name="slow", command="true", quick="sleep 1000;"),
    )
    result = await look(rig, "a.py", plan=CheckPlan(checks=checks, source="test"))
    assert [line.partition(":")[0] for line in result.shown] == ["a.py"]
    assert result.findings == 1


async def test_only_files_that_are_there_are_looked_at(rig: Rig):
    """Removed ones, links and pipes are not; then nothing is known anew."""
    await rig.open({"ruff.toml": ""})
    rig.path("link.py").symlink_to("/etc/passwd")
    told = "abc:def"
    result = await look(rig, "gone.py", "link.py", "src", told=told)
    assert (result.findings, result.message, result.told) == (0, None, told)


async def test_odd_names_are_names(rig: Rig):
    """Nothing in them is read as an option or a command."""
    await rig.open({"ruff.toml": ""})
    names = ("--fix.py", "a b.py", "$(touch x).py", "it's.py", "é.py")
    rig.write(dict.fromkeys(names, "import os\n"))
    result = await look(rig, *names)
    assert sorted(line.partition(":")[0] for line in result.shown) == sorted(names)
    assert not rig.path("x").exists()


async def test_a_box_that_is_gone_tells_nothing(rig: Rig):
    """The next command of the session finds out."""
    await rig.open({"ruff.toml": ""})
    rig.write({"a.py": "import os\n"})
    await rig.kill_box()
    result = await look(rig, "a.py", told="abc:def")
    assert (result.findings, result.told) == (0, "abc:def")
