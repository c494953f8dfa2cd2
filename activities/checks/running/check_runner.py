"""Runs one check in a box and reads what it found: the one way, for the gate and for baselines."""

from activities.checks.findings.fingerprints import identified
from activities.checks.findings.inert import one_line
from activities.checks.findings.reports import has_failure, is_unrunnable, keep_report, tests_of
from activities.checks.running import scripts
from activities.checks.running.boxes import Boxes, part_of
from activities.checks.running.collecting import (
    OUTPUT_LIMIT_BYTES,
    BoxLostError,
    Collector,
    Ended,
    with_end,
)
from activities.progress import beating
from runtime.store.base import Store
from workflows.contract.checks import CheckResult, Reader, RunCheck
from workflows.contract.findings import MESSAGE_CHARACTERS, Finding, FindingKind, FindingReport
from workflows.contract.sandbox import CommandOutcome, RunCommand


class CheckRunner:
    """Runs checks as commands of a box; everything is found again by the command's id."""

    def __init__(self, boxes: Boxes, store: Store) -> None:
        self._boxes = boxes
        self._store = store
        self._collector = Collector(boxes, store)

    async def run(self, request: RunCheck, *, is_followed: bool = True) -> CheckResult:
        """Run the check, or attach to it, and keep its report.

        Its output is followed into the store and shown, unless nobody is to see it.

        Raises:
            ApplicationError: `temporary`, when a retry may find box or store again.
        """
        if request.tests and not request.check.rerun:
            why = "it does not say how to run some of its tests: add `rerun` to the check"
            return await self._refused(request, Ended(CommandOutcome.EXITED), why)
        problem = await self._prepare(request)
        if problem is not None:
            why = f"the workspace could not be made ready: {problem.excerpt[-400:]}"
            return await self._refused(request, problem, why)
        ended = await (self._follow(request) if is_followed else self._wait_for(request))
        async with beating():
            if not await self._put_back(request, ended):
                why = "the files of the work could not be put back after it"
                return await self._refused(request, ended, why)
            try:
                report = await self._collector.report(request, ended)
            except BoxLostError:
                lost = ended._replace(outcome=CommandOutcome.LOST)
                return await self._refused(request, lost, "its sandbox died under its report")
            return await self._result(request, ended, report)

    async def _prepare(self, request: RunCheck) -> Ended | None:
        """Ready the workspace; returns how that ended when it failed."""
        if not request.original and not request.tests:
            return None
        script = scripts.prepared(request.command_id, request.original, request.tests)
        async with beating():
            ended = await self._boxes.run_in_box(
                request.binding, part_of(request.command_id, "before"), script
            )
        if ended.outcome is CommandOutcome.EXITED and ended.exit_code == 0:
            return None
        return Ended(ended.outcome, ended.exit_code, excerpt=ended.excerpt)

    async def _put_back(self, request: RunCheck, ended: Ended) -> bool:
        """Undo what `_prepare` did; says whether the workspace is as it was, if it is there."""
        if not request.original or ended.outcome is CommandOutcome.LOST:
            return True
        script = scripts.put_back(request.command_id, request.original)
        after = await self._boxes.run_in_box(
            request.binding, part_of(request.command_id, "after"), script
        )
        return after.outcome is CommandOutcome.LOST or after.exit_code == 0

    async def _follow(self, request: RunCheck) -> Ended:
        result = await self._boxes.run_command(
            RunCommand(
                session=request.session,
                turn=request.turn,
                step=0,
                binding=request.binding,
                command_id=request.command_id,
                shell=_shell(request),
                timeout_seconds=request.check.timeout_seconds,
            )
        )
        stdout, stderr = await self._collector.output(request, result)
        return Ended(
            outcome=result.outcome,
            exit_code=result.exit_code,
            seconds=result.seconds,
            output_end=result.output_end,
            excerpt=result.excerpt,
            stdout=stdout,
            stderr=stderr,
        )

    async def _wait_for(self, request: RunCheck) -> Ended:
        async with beating():
            ended = await self._boxes.run_in_box(
                request.binding,
                request.command_id,
                _shell(request),
                seconds=request.check.timeout_seconds,
                keep_bytes=OUTPUT_LIMIT_BYTES,
            )
        stdout = with_end(ended.stdout, ended.excerpt)
        parts = (stdout, ended.stderr)
        return Ended(ended.outcome, ended.exit_code, ended.seconds, 0, ended.excerpt, *parts)

    async def _refused(self, request: RunCheck, ended: Ended, why: str) -> CheckResult:
        finding = Finding(
            check=request.check.name,
            kind=FindingKind.ENVIRONMENT,
            rule="cannot-run",
            message=one_line(f"could not be run: {why}", MESSAGE_CHARACTERS),
        )
        report = FindingReport(check=request.check.name, findings=(identified(finding),))
        return await self._result(request, ended, report)

    async def _result(self, request: RunCheck, ended: Ended, report: FindingReport) -> CheckResult:
        runnable = not is_unrunnable(report) and ended.outcome is CommandOutcome.EXITED
        is_runner = request.check.reader is Reader.JUNIT or bool(report.tests)
        return CheckResult(
            session=request.session,
            turn=request.turn,
            name=request.check.name,
            command=request.check.command,
            command_id=request.command_id,
            passed=runnable and ended.exit_code == 0 and not has_failure(report),
            outcome=ended.outcome,
            exit_code=ended.exit_code,
            seconds=ended.seconds,
            output_end=ended.output_end,
            excerpt=ended.excerpt[-1_000:],
            runnable=runnable,
            findings=len(report.findings) + report.left_out,
            tests=tests_of(report) if is_runner else None,
            report=await keep_report(self._store, report),
        )


def _shell(request: RunCheck) -> str:
    command = request.check.command
    if request.tests:
        command = scripts.for_tests(request.command_id, request.check.rerun)
    return scripts.with_report(request.command_id, command)
