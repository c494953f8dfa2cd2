"""Runs one check in a box and reads what it found: the one way, for the gate and for baselines."""

import asyncio
from collections import Counter
from typing import NamedTuple

import structlog

from activities.checks import scripts, sources
from activities.checks.boxes import Boxes, part_of
from activities.checks.fingerprints import located
from activities.checks.readers.reading import ToolRun, is_unrunnable, mentioned, read
from activities.checks.reports import keep_report
from activities.progress import beating
from runtime.store.base import Store
from workflows.contract.base import CommandId
from workflows.contract.checks import REPORT_VARIABLE, CheckResult, Reader, RunCheck
from workflows.contract.findings import (
    Finding,
    FindingKind,
    FindingReport,
    Severity,
    TestCounts,
    TestOutcome,
)
from workflows.contract.output import BrokenLogError, Channel, FrameDecoder, stream_key
from workflows.contract.sandbox import CommandOutcome, RunCommand

OUTPUT_LIMIT_BYTES = 32 * 1024 * 1024
"""So much of a check's output is read; of a longer one also its very end."""

READ_BYTES = 4 * 1024 * 1024

_OUTPUT_READERS = (Reader.TEXT, Reader.JSON_LINES)

log = structlog.get_logger()


class Ended(NamedTuple):
    """How a check's command ended, and what it left."""

    outcome: CommandOutcome
    exit_code: int | None = None
    seconds: float = 0.0
    output_end: int = 0
    excerpt: str = ""
    stdout: bytes = b""
    stderr: bytes = b""


class CheckRunner:
    """Runs checks as commands of a box; everything is found again by the command's id."""

    def __init__(self, boxes: Boxes, store: Store) -> None:
        self._boxes = boxes
        self._store = store

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
            return await self._result(request, ended, await self._report(request, ended))

    async def _prepare(self, request: RunCheck) -> Ended | None:
        """Ready the workspace; returns how that ended when it failed."""
        if not request.original and not request.tests:
            return None
        script = scripts.prepared(request.command_id, request.original, request.tests)
        async with beating():
            ended = await self._boxes.run_in_box(
                request.binding, self._id(request, "before"), script
            )
        if ended.outcome is CommandOutcome.EXITED and ended.exit_code == 0:
            return None
        return Ended(ended.outcome, ended.exit_code, excerpt=ended.excerpt)

    async def _put_back(self, request: RunCheck, ended: Ended) -> bool:
        """Undo what `_prepare` did; says whether the workspace is as it was, if it is there."""
        if not request.original or ended.outcome is CommandOutcome.LOST:
            return True
        script = scripts.put_back(request.command_id, request.original)
        after = await self._boxes.run_in_box(request.binding, self._id(request, "after"), script)
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
        stdout, stderr = result.excerpt.encode(), b""
        if request.check.reader in _OUTPUT_READERS:
            key = stream_key(request.session, request.command_id)
            stdout, stderr = await self._output(key, result.output_end, stdout)
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
        stdout = _with_end(ended.stdout, ended.excerpt[-2_000:].encode())
        parts = (stdout, ended.stderr)
        return Ended(ended.outcome, ended.exit_code, ended.seconds, 0, ended.excerpt, *parts)

    async def _output(self, key: str, end: int, excerpt: bytes) -> tuple[bytes, bytes]:
        """Return both outputs from the store, where all of them are by now."""
        decoder = FrameDecoder()
        found = {Channel.STDOUT: bytearray(), Channel.STDERR: bytearray()}
        offset, last = 0, min(end, OUTPUT_LIMIT_BYTES)
        while offset < last:
            data = await self._store.read_stream_async(key, offset, READ_BYTES)
            if not data:
                break
            offset += len(data)
            try:
                for frame in decoder.feed(data):
                    found[frame.channel] += frame.data
            except BrokenLogError:
                log.warning("check.log_broken", stream=key)
                break
        cut = b"\n" + excerpt if end > offset else b""
        return bytes(found[Channel.STDOUT]) + cut, bytes(found[Channel.STDERR])

    async def _report(self, request: RunCheck, ended: Ended) -> FindingReport:
        """Read what the check left into findings, with the source lines they speak of."""
        check, binding = request.check, request.binding
        file = await self._report_file(request, ended)
        tool_run = ToolRun(
            stdout=ended.stdout,
            stderr=ended.stderr,
            report=file,
            exit_code=ended.exit_code,
            outcome=ended.outcome,
        )
        report = await asyncio.to_thread(read, check, tool_run, binding.workspace)
        paths = sources.wanted(mentioned(report))
        lines = {}
        if paths and ended.outcome is not CommandOutcome.LOST:
            archive = await self._boxes.run_in_box(
                binding,
                self._id(request, "sources"),
                scripts.read_sources(paths),
                keep_bytes=scripts.ARCHIVE_LIMIT_BYTES,
            )
            lines = sources.lines_of(sources.read_archive(archive.stdout))
        return await asyncio.to_thread(located, report, lines)

    async def _report_file(self, request: RunCheck, ended: Ended) -> bytes | None:
        may_be = request.check.reader not in _OUTPUT_READERS or REPORT_VARIABLE in _shown(request)
        if not may_be or ended.outcome is CommandOutcome.LOST:
            return None
        found = await self._boxes.run_in_box(
            request.binding,
            self._id(request, "report"),
            scripts.read_report(request.command_id),
            keep_bytes=scripts.REPORT_LIMIT_BYTES + 2,
        )
        return found.stdout[1:] if found.stdout[:1] == b"1" else None

    async def _refused(self, request: RunCheck, ended: Ended, why: str) -> CheckResult:
        finding = Finding(
            check=request.check.name,
            kind=FindingKind.ENVIRONMENT,
            rule="cannot-run",
            message=f"{request.check.name} could not be run: {why}"[:500],
        )
        report = FindingReport(check=request.check.name, findings=(finding,))
        return await self._result(request, ended, located(report, {}))

    async def _result(self, request: RunCheck, ended: Ended, report: FindingReport) -> CheckResult:
        runnable = not is_unrunnable(report) and ended.outcome is CommandOutcome.EXITED
        return CheckResult(
            session=request.session,
            turn=request.turn,
            name=request.check.name,
            command=request.check.command,
            command_id=request.command_id,
            passed=runnable and ended.exit_code == 0 and not _has_failure(report),
            outcome=ended.outcome,
            exit_code=ended.exit_code,
            seconds=ended.seconds,
            output_end=ended.output_end,
            excerpt=ended.excerpt[-1_000:],
            runnable=runnable,
            findings=len(report.findings) + report.left_out,
            tests=_counts(report) if request.check.reader is Reader.JUNIT else None,
            report=await keep_report(self._store, report),
        )

    def _id(self, request: RunCheck, part: str) -> CommandId:
        return part_of(request.command_id, part)


def _shown(request: RunCheck) -> str:
    return request.check.rerun if request.tests else request.check.command


def _shell(request: RunCheck) -> str:
    command = request.check.command
    if request.tests:
        command = scripts.for_tests(request.command_id, request.check.rerun)
    return scripts.with_report(request.command_id, command)


def _with_end(output: bytes, end: bytes) -> bytes:
    return output if len(output) < OUTPUT_LIMIT_BYTES else output + b"\n" + end


def _has_failure(report: FindingReport) -> bool:
    if TestOutcome.FAILED in report.tests.values():
        return True
    return any(finding.severity is Severity.ERROR for finding in report.findings)


def _counts(report: FindingReport) -> TestCounts:
    counts = Counter(report.tests.values())
    return TestCounts(
        passed=counts[TestOutcome.PASSED],
        failed=counts[TestOutcome.FAILED],
        skipped=counts[TestOutcome.SKIPPED],
    )
