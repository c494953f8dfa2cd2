"""The tests of the base in a box for checks, where HEAD is the work."""

from activities.checks.planning.tools import PYTEST
from tests.activities.checks.conftest import SESSION, Rig
from tests.activities.repositories import named
from workflows.contract.base import CommandId
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import TestCounts
from workflows.contract.sandbox import ExportWork, OpenSandbox

PASSES = "def test_a():\n    pass\n"
FAILS = "def test_a():\n    assert False\n"

# As checks do that ask git for their files, or generate them and look for a difference.
TIDY = CheckSpec(
    name="tidy", command="git ls-files 'tests/*'; git ls-files -z | xargs -0 ls -d -- && git diff"
)


async def open_committed(rig: Rig, base: dict[str, str], work: dict[str, str]) -> None:
    """Have a box as the gate has it, with the work as HEAD."""
    ready = await rig.open(base, "s1-session")
    rig.write(work)
    bundle = await rig.sandboxes.export_work(
        ExportWork(
            session=SESSION,
            turn=1,
            binding=ready.binding,
            base=ready.base_commit,
            command_id=CommandId("export"),
        )
    )
    rig.ready = await rig.sandboxes.open(
        OpenSandbox(
            session=SESSION,
            sandbox_id="s1-gate",
            repository=named(rig.repo),
            branch="overnight/s1",
            base_commit=ready.base_commit,
            restore=bundle,
            committed=True,
        )
    )
    rig.opened.append(rig.ready)


async def test_the_original_tests_are_those_of_the_base(rig: Rig):
    """HEAD holds those of the work; git knows of the original ones only, until they are gone."""
    work = {"tests/test_a.py": PASSES, "tests/test_b.py": PASSES}
    await open_committed(rig, {"tests/test_a.py": FAILS}, work)
    result, _ = await rig.run(PYTEST)
    assert result.tests == TestCounts(passed=2)
    result, _ = await rig.run(PYTEST, original=tuple(work))
    assert result.tests == TestCounts(failed=1)
    result, _ = await rig.run(TIDY, original=tuple(work))
    assert (result.passed, result.excerpt.splitlines()[0]) == (True, "tests/test_a.py")
    assert "test_b" not in result.excerpt
    clean = CheckSpec(name="clean", command='test -z "$(git status --porcelain)"')
    result, _ = await rig.run(clean)
    assert result.passed
    assert rig.path("tests/test_b.py").read_text() == PASSES


async def test_checks_find_new_files_by_asking_git(rig: Rig):
    """As in continuous integration; and what they generate anew is no difference."""
    await open_committed(rig, {"a.py": "a = 1\n"}, {"a.py": "a = 2\n", "b.py": "b = 1\n"})
    command = "git ls-files --error-unmatch b.py && echo 'a = 2' > a.py && git diff --exit-code"
    result, _ = await rig.run(CheckSpec(name="generated", command=command))
    assert (result.passed, result.excerpt) == (True, "b.py\n")
