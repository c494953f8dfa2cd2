"""What a check's command left: what it printed, its report, and the sources that this speaks of."""

import asyncio
from typing import NamedTuple

import structlog

from activities.checks.findings.fingerprints import Sources
from activities.checks.readers.reading import ToolRun, gather
from activities.checks.running import scripts, sources
from activities.checks.running.boxes import Boxes, part_of
from runtime.store.base import Store
from workflows.contract.checks import REPORT_VARIABLE, Reader, RunCheck
from workflows.contract.findings import FindingReport
from workflows.contract.output import BrokenLogError, Channel, FrameDecoder, stream_key
from workflows.contract.sandbox import CommandOutcome, CommandResult

OUTPUT_LIMIT_BYTES = 32 * 1024 * 1024
"""So much of a check's output is read; of a longer one also its very end."""

READ_BYTES = 4 * 1024 * 1024
END_CHARACTERS = 2_000

_OUTPUT_READERS = (Reader.TEXT, Reader.JSON_LINES)

log = structlog.get_logger()


class Ended(NamedTuple):
    """How a check's command ended, and what it printed."""

    outcome: CommandOutcome
    exit_code: int | None = None
    seconds: float = 0.0
    output_end: int = 0
    excerpt: str = ""
    stdout: bytes = b""
    stderr: bytes = b""


class BoxLostError(Exception):
    """The sandbox died before what the check left could be read."""


class Collector:
    """Collects what commands of checks left, in the store or in their box, by their ids."""

    def __init__(self, boxes: Boxes, store: Store) -> None:
        self._boxes = boxes
        self._store = store

    async def output(self, request: RunCheck, result: CommandResult) -> tuple[bytes, bytes]:
        """Return both outputs of a command that was followed into the store, if they are read."""
        excerpt = result.excerpt.encode()
        if request.check.reader not in _OUTPUT_READERS:
            return excerpt, b""
        key = stream_key(request.session, request.command_id)
        decoder = FrameDecoder()
        found = {Channel.STDOUT: bytearray(), Channel.STDERR: bytearray()}
        offset, last = 0, min(result.output_end, OUTPUT_LIMIT_BYTES)
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
        cut = b"\n" + excerpt if result.output_end > offset else b""
        return bytes(found[Channel.STDOUT]) + cut, bytes(found[Channel.STDERR])

    async def report(self, request: RunCheck, ended: Ended) -> FindingReport:
        """Read what the check left into findings, with the source lines they speak of.

        Raises:
            BoxLostError: the sandbox died meanwhile; nothing is known then.
        """
        check, binding = request.check, request.binding
        tool_run = ToolRun(
            stdout=ended.stdout,
            stderr=ended.stderr,
            report=await self._file(request, ended),
            exit_code=ended.exit_code,
            outcome=ended.outcome,
        )
        gathered = await asyncio.to_thread(gather, check, tool_run, binding.workspace)
        paths = sources.wanted(gathered.mentioned())
        lines: Sources = {}
        if paths and ended.outcome is not CommandOutcome.LOST:
            archive = await self._boxes.run_in_box(
                binding,
                part_of(request.command_id, "sources"),
                scripts.read_sources(paths),
                keep_bytes=scripts.ARCHIVE_LIMIT_BYTES,
            )
            lines = sources.lines_of(sources.read_archive(archive.stdout))
        return await asyncio.to_thread(gathered.report, lines)

    async def _file(self, request: RunCheck, ended: Ended) -> bytes | None:
        shown = request.check.rerun if request.tests else request.check.command
        may_be = request.check.reader not in _OUTPUT_READERS or REPORT_VARIABLE in shown
        if not may_be or ended.outcome is CommandOutcome.LOST:
            return None
        found = await self._boxes.run_in_box(
            request.binding,
            part_of(request.command_id, "report"),
            scripts.read_report(request.command_id),
            keep_bytes=scripts.REPORT_LIMIT_BYTES + 2,
        )
        if found.outcome is CommandOutcome.LOST:
            raise BoxLostError
        return found.stdout[1:] if found.stdout[:1] == b"1" else None


def with_end(output: bytes, excerpt: str) -> bytes:
    """Return output that was cut at the limit with the end of its excerpt."""
    if len(output) < OUTPUT_LIMIT_BYTES:
        return output
    return output + b"\n" + excerpt[-END_CHARACTERS:].encode()
