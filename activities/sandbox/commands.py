"""Commands of a box from their start to their result, whoever started them."""

import asyncio
import re
import signal
from typing import NamedTuple

from activities.failures import permanent, temporary
from activities.sandbox.box import (
    BoxClient,
    BoxGone,
    BoxPaths,
    BoxRefused,
    Exit,
    StartCommand,
    read_exit,
)
from activities.sandbox.lifetime import ends_now
from activities.sandbox.live import ANY_LENGTH, LiveLog
from activities.sandbox.output import OutputSummary, read_frames, summarise
from workflows.contract.failures import Failure
from workflows.contract.sandbox import CommandOutcome

WAIT_SECONDS = 30.0
"""How long one question to the supervisor waits for the end; the next one follows at once."""

FIRST_SECONDS = 0.02
"""A command that ends sooner is not shown while it runs: nobody would see it, at some cost."""

OUTPUT_LIMIT_BYTES = 4 * 1024**3

_UNNAMED_SIGNAL = re.compile(r"SIG([0-9]{1,3})")


class Ended(NamedTuple):
    """A command's end; no `exit` when its box was gone before the end was recorded."""

    exit: Exit | None
    summary: OutputSummary
    output_end: int = 0
    """Length of its log in the store; 0 when it is not kept there."""

    @property
    def outcome(self) -> CommandOutcome:
        """Tell how it ended."""
        return CommandOutcome.LOST if self.exit is None else self.exit.outcome

    @property
    def code(self) -> int | None:
        """Return the exit code, 128 + n for signal n, as a shell does."""
        if self.exit is None or self.exit.signal is None:
            return None if self.exit is None else self.exit.code
        number = _signal_number(self.exit.signal)
        return None if number is None else 128 + number

    @property
    def seconds(self) -> float:
        """Return how long it ran."""
        return 0.0 if self.exit is None else (self.exit.ended_ns - self.exit.started_ns) / 1e9


async def run(paths: BoxPaths, command: StartCommand) -> Ended:
    """Start one of our own commands, or attach to it, and wait for its end.

    A dead box makes a `lost` command.

    Raises:
        ApplicationError: `temporary`, when the box lives and does not answer: a retry attaches;
            `sandbox_unavailable`, not retryable, when the command cannot be started.
    """
    client = BoxClient(paths)
    try:
        end = (await client.start(command)).exit
        while end is None:
            progress = await client.wait(command.id, ANY_LENGTH, WAIT_SECONDS)
            if progress is None:
                break
            end = progress.exit
    except BoxGone as gone:
        end = await _recorded(paths, command.id, gone)
    except BoxRefused as refusal:
        raise permanent(Failure.SANDBOX_UNAVAILABLE, str(refusal)) from refusal
    summary = await asyncio.to_thread(summarise, paths.command(command.id) / "log")
    return Ended(end, summary)


async def follow(paths: BoxPaths, command: StartCommand, live: LiveLog) -> Ended:
    """Do what `run` does, and meanwhile show the output as it grows.

    All of it is in the store when this returns. Whatever fails, the command runs on.

    Raises:
        ApplicationError: what `run` raises; `temporary` also when the store fails.
    """
    try:
        end = await _follow(BoxClient(paths), command, live)
    except BoxGone as gone:
        end = await _recorded(paths, command.id, gone)
    except BoxRefused as refusal:
        raise permanent(Failure.SANDBOX_UNAVAILABLE, str(refusal)) from refusal
    await live.finish()
    return Ended(end, live.summary, live.output_end)


async def _follow(client: BoxClient, command: StartCommand, live: LiveLog) -> Exit | None:
    started = await client.start(command)
    live.begin(is_new=started.state == "started")
    if started.exit is not None:
        return started.exit
    rest = FIRST_SECONDS
    while True:
        # While it may not be shown again only the end is of interest.
        offset, patience = (ANY_LENGTH, rest) if rest else (live.taken, WAIT_SECONDS)
        progress = await client.wait(command.id, offset, patience)
        if progress is None or progress.exit is not None:
            return None if progress is None else progress.exit
        rest = await live.advance(progress.size)


async def stop(paths: BoxPaths, command_id: str, live: LiveLog) -> Ended:
    """End a command with all it started; in a dead box nothing runs any more.

    All of its output is in the store when this returns.

    Raises:
        ApplicationError: `temporary`, when the box lives and does not answer or cannot write the
            end down (a full disk), or the store fails.
    """
    try:
        end: Exit | None = await BoxClient(paths).stop(command_id)
    except BoxGone as gone:
        end = await _recorded(paths, command_id, gone)
    except BoxRefused as refusal:
        raise temporary(str(refusal)) from refusal
    await live.finish()
    return Ended(end, live.summary, live.output_end)


def stdout_of(paths: BoxPaths, command_id: str) -> bytes:
    """Return a command's whole standard output; for our own commands, whose output is bounded."""
    log = paths.command(command_id) / "log"
    return b"".join(frame.data for frame in read_frames(log) if frame.stream == 1)


def _signal_number(name: str) -> int | None:
    """Read a signal's name, or `SIG` and the number of one that has no name."""
    if name in signal.Signals.__members__:
        return signal.Signals[name]
    unnamed = _UNNAMED_SIGNAL.fullmatch(name)
    return None if unnamed is None else int(unnamed[1])


async def _recorded(paths: BoxPaths, command_id: str, gone: BoxGone) -> Exit | None:
    if read_exit(paths, command_id) is None and not await ends_now(paths):
        raise temporary(str(gone)) from gone
    return read_exit(paths, command_id)
