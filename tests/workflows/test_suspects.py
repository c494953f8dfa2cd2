"""What is run besides the checks themselves: suspected tests alone, and fixers."""

from tests.fake_checks import red
from tests.workflows.conftest import Rig, prompt
from workflows.contract import names
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import FindingKind
from workflows.contract.judging import Suspect, Verdict
from workflows.contract.session import InterruptSignal, SessionView

TESTS = CheckSpec(name="pytest", command="pytest", kind=FindingKind.TEST, rerun="pytest")


async def finished(rig: Rig) -> SessionView:
    async with rig.workers():
        await rig.start(prompt("work"))
        return await rig.until_waiting(1)


async def test_a_suspected_test_is_run_alone_also_without_the_work(rig: Rig) -> None:
    """Only the judge, who sees all these runs, may call it flaky."""
    rig.checks.plan = rig.checks.plan.model_copy(update={"checks": (TESTS,)})
    suspects = (Suspect(check="pytest", test="tests/test_a.py::test_b"),)
    rig.checks.judges = lambda work: {} if work.alone_at_base else red("a", suspects=suspects)
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    assert [each.tests for each in rig.checks.ran] == [(), *[("tests/test_a.py::test_b",)] * 5]
    assert rig.sandbox.fresh == []


async def test_each_runner_is_given_its_own_suspects(rig: Rig) -> None:
    """A runner that is asked for a test of another fails, and nothing would ever be flaky."""
    other = TESTS.model_copy(update={"name": "jest", "rerun": "jest"})
    rig.checks.plan = rig.checks.plan.model_copy(update={"checks": (TESTS, other)})
    suspects = (Suspect(check="jest", test="a.test.js > b"),)
    rig.checks.judges = lambda work: {} if work.alone_at_base else red("a", suspects=suspects)
    await finished(rig)
    alone = [(each.check.name, each.tests) for each in rig.checks.ran if each.tests]
    assert alone == [("jest", ("a.test.js > b",))] * 5


async def test_a_fixer_is_stopped_with_its_turn(rig: Rig) -> None:
    """Else it changes files under the next turn."""
    rig.checks.judges = lambda _: red("a", fixable=1)
    rig.sandbox.hang = {"fix"}
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.sandbox.running.wait()
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        await rig.until_waiting(1)
    (fixing,) = rig.checks.fixed
    assert rig.sandbox.noted[-1] == f"stop {fixing.command_id}"
