"""Runs the checks for a judgement, each time in a fresh sandbox of the work and nothing else.

What a session's own sandbox holds besides the proposed files, such as installed packages,
ignored files and running programs, takes no part.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from temporalio.exceptions import ActivityError

from workflows import calls, opening
from workflows.calls import InterruptedCallError
from workflows.contract.base import CommandId
from workflows.contract.checks import CheckPlan, CheckResult, CheckSpec, Reader, RunCheck
from workflows.contract.findings import FindingKind
from workflows.contract.judging import Examination, Suspect
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandOutcome,
    OpenSandbox,
    SandboxBinding,
    StopCommand,
    WorkBundle,
)
from workflows.contract.session import Phase
from workflows.record import SessionRecord

Found = TypeVar("Found")

SANDBOXES_TRIED = 3
"""Sandboxes for one judgement; more than one only when one was lost under its checks."""

ALONE_WITH_WORK = 2
ALONE_AT_BASE = 3
"""How often a suspected test is run alone, with the work and at the base commit."""

RESULTS_LIMIT = 8


class _LostError(Exception):
    """The sandbox was lost under its checks."""


class Evidence(NamedTuple):
    """What the checks said."""

    results: tuple[CheckResult, ...]
    original: tuple[CheckResult, ...] = ()
    """The test runners again, with the tests as they were at the base commit."""


async def gather(record: SessionRecord, work: WorkBundle, examination: Examination) -> Evidence:
    """Run every check, and the tests as they were if the work changed them.

    Raises:
        InterruptedCallError: a person stopped it.
        LostTooOftenError: one sandbox after the other is lost.
    """
    plan = record.state.plan
    assert plan is not None

    async def run_all(box: SandboxBinding, name: str) -> tuple[CheckResult, ...]:
        return tuple([await _run(record, box, f"{name}-{each.name}", each) for each in plan.checks])

    async def run_original(box: SandboxBinding, name: str) -> tuple[CheckResult, ...]:
        tested = [each for each in plan.checks if _runs_tests(each)] or plan.checks
        paths = examination.original
        return tuple(
            [
                await _run(record, box, f"{name}-{each.name}", each, original=paths)
                for each in tested
            ]
        )

    results = await _in_fresh_sandbox(record, "gate", work, run_all)
    if not examination.original:
        return Evidence(results)
    # Not in the same one: a test of the work may have changed what is tested.
    return Evidence(results, await _in_fresh_sandbox(record, "orig", work, run_original))


async def alone(
    record: SessionRecord, plan: CheckPlan, work: WorkBundle, suspects: tuple[Suspect, ...]
) -> tuple[tuple[CheckResult, ...], tuple[CheckResult, ...]]:
    """Run each check's suspects alone with the work and, only if they pass so, at the base commit.

    Raises:
        InterruptedCallError: a person stopped it.
        LostTooOftenError: one sandbox after the other is lost.
    """
    of_check = {
        check.name: tuple(each.test for each in suspects if each.check == check.name)
        for check in plan.checks
    }
    tested = [check for check in plan.checks if check.rerun and of_check[check.name]]

    def times(count: int) -> Callable[[SandboxBinding, str], Awaitable[tuple[CheckResult, ...]]]:
        async def run(box: SandboxBinding, name: str) -> tuple[CheckResult, ...]:
            results: list[CheckResult] = []
            for n, each in [(n, each) for n in range(count) for each in tested][:RESULTS_LIMIT]:
                tests = of_check[each.name]
                results.append(
                    await _run(record, box, f"{name}-{n}-{each.name}", each, tests=tests)
                )
                if not results[-1].passed:
                    break  # one failure says all there is to say
            return tuple(results)

        return run

    with_work = await _in_fresh_sandbox(record, "alone", work, times(ALONE_WITH_WORK))
    if not all(each.passed for each in with_work):
        return with_work, ()
    return with_work, await _in_fresh_sandbox(record, "steady", None, times(ALONE_AT_BASE))


async def _in_fresh_sandbox(
    record: SessionRecord,
    purpose: str,
    work: WorkBundle | None,
    run: Callable[[SandboxBinding, str], Awaitable[Found]],
) -> Found:
    """Do something in a sandbox of its own; anew in another one when it is lost meanwhile."""
    turn = record.turn
    for attempt in range(1, SANDBOXES_TRIED + 1):
        name = f"{purpose}-t{turn.number}-{turn.gate.rounds}"
        name = name if attempt == 1 else f"{name}-a{attempt}"
        box = await _open(record, name, work)
        try:
            found = await run(box, name)
        except _LostError:
            await _close(record, box)
            continue
        except (InterruptedCallError, ActivityError):
            await _close(record, box)
            raise
        await _close(record, box)
        return found
    message = f"the sandboxes of the checks were lost {SANDBOXES_TRIED} times; look at the host"
    raise opening.LostTooOftenError(message)


async def _open(record: SessionRecord, name: str, work: WorkBundle | None) -> SandboxBinding:
    record.show(activity="opening a fresh sandbox for the checks")
    request = OpenSandbox(
        session=record.session,
        sandbox_id=f"{record.state.sandbox_id}-{name}",
        repository=record.options.repository,
        branch=record.options.branch,
        base_commit=opening.base(record),
        restore=work,
        committed=True,
    )
    handle = calls.open_sandbox(request, record.binding)
    try:
        return (await calls.interruptible(handle, lambda: record.interrupted)).binding
    except (InterruptedCallError, ActivityError):
        # Whatever came to be of it must not stay.
        half = record.binding.model_copy(update={"sandbox_id": request.sandbox_id})
        await _close(record, half)
        raise


async def _close(record: SessionRecord, box: SandboxBinding) -> None:
    await calls.close_sandbox(CloseSandbox(session=record.session, binding=box))


async def _run(
    record: SessionRecord,
    box: SandboxBinding,
    name: str,
    check: CheckSpec,
    *,
    original: tuple[str, ...] = (),
    tests: tuple[str, ...] = (),
) -> CheckResult:
    command_id = CommandId(name)
    record.show(Phase.CHECKING, _doing(check, original=bool(original), alone=bool(tests)))
    request = RunCheck(
        session=record.session,
        turn=record.turn.number,
        binding=box,
        command_id=command_id,
        check=check,
        original=original,
        tests=tests,
    )
    try:
        result = await calls.interruptible(calls.run_check(request), lambda: record.interrupted)
    except InterruptedCallError:
        await stop(record, box, command_id)
        raise
    if result.outcome is CommandOutcome.LOST:
        raise _LostError
    return result


async def stop(record: SessionRecord, box: SandboxBinding, command_id: CommandId) -> None:
    """End a command of a check; nothing of it runs any more then."""
    await calls.stop_command(
        StopCommand(
            session=record.session,
            turn=record.turn.number,
            step=record.state.steps,
            binding=box,
            command_id=command_id,
        )
    )


def _runs_tests(check: CheckSpec) -> bool:
    return check.kind is FindingKind.TEST or check.reader is Reader.JUNIT


def _doing(check: CheckSpec, *, original: bool, alone: bool) -> str:
    if original:
        return f"running {check.name} with the tests of the base commit"
    return f"running suspected tests of {check.name} alone" if alone else f"running {check.name}"
