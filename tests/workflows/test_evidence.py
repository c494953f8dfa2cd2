"""In what boxes the checks are run, and what becomes of them."""

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.fakes import FINISH
from tests.workflows.conftest import Rig, prompt
from workflows.contract import names
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import FindingKind
from workflows.contract.judging import Suspect, Verdict
from workflows.contract.sandbox import OpenSandbox
from workflows.contract.session import InterruptSignal, StopReason

TESTS = CheckSpec(name="pytest", command="pytest", kind=FindingKind.TEST, rerun="pytest")


async def opened(history: WorkflowHistory) -> list[OpenSandbox]:
    """Return the requests for boxes, in order."""
    found = []
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == "sandbox.open":
            payloads = list(scheduled.input.payloads)
            (request,) = await pydantic_data_converter.decode(payloads, [OpenSandbox])
            found.append(request)
    return found


async def test_checks_find_the_work_committed(rig: Rig) -> None:
    """And the session does not: there it is as the model left it."""
    rig.checks.plan = rig.checks.plan.model_copy(update={"checks": (TESTS,)})
    rig.checks.original = ("test_a.py",)
    suspects = (Suspect(check="pytest", test="t::x"),)
    rig.checks.judges = lambda work: {} if work.alone_at_base else {"suspects": suspects}
    rig.script(lambda _: FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.until_waiting(1)
        requests = await opened(await handle.fetch_history())
    session, *fresh = requests
    assert not session.committed
    assert {each.sandbox_id.split("-")[-3] for each in fresh} == {"gate", "orig", "alone", "steady"}
    assert all(each.committed for each in fresh)


async def test_a_sandbox_lost_under_its_checks_is_replaced(rig: Rig) -> None:
    """Nothing is said of the work from half a run."""
    rig.sandbox.lose.add("pytest")
    async with rig.workers():
        await rig.start(prompt("work"))
        view = await rig.until_waiting(1)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    boxes = [each.binding.sandbox_id.removeprefix(f"{rig.session}-r0-") for each in rig.checks.ran]
    assert boxes == ["gate-t1-1", "gate-t1-1-a2"]


async def test_an_interrupt_during_the_checks_leaves_no_sandbox(rig: Rig) -> None:
    """The check is stopped, its sandbox removed, nothing proposed."""
    rig.sandbox.hang.add("pytest")
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.sandbox.running.wait()
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.INTERRUPTED
    assert (rig.sandbox.fresh, rig.pull_requests.proposed) == ([], [])


async def test_an_interrupt_while_a_sandbox_for_checks_opens_leaves_none(rig: Rig) -> None:
    """Whatever came to be of it is removed."""
    rig.sandbox.open_slowly = True
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.sandbox.running.wait()
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        rig.sandbox.open_slowly = False
        await rig.until_waiting(1)
    assert rig.sandbox.fresh == []
