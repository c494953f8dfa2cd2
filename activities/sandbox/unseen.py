"""Commands in a box whose output nobody follows: it is read back when they have ended."""

import asyncio
from typing import NamedTuple

from activities.sandbox import commands
from activities.sandbox.box import BoxPaths, StartCommand
from activities.sandbox.inside import wire
from activities.sandbox.output import read_frames
from workflows.contract.sandbox import CommandOutcome


class Unseen(NamedTuple):
    """How such a command ended, and the beginning of what it printed."""

    outcome: CommandOutcome
    exit_code: int | None
    seconds: float
    stdout: bytes
    stderr: bytes
    excerpt: str
    """The beginning and the end of both, as a model would be shown it."""


async def run(paths: BoxPaths, command: StartCommand, keep_bytes: int) -> Unseen:
    """Run a command once and return at most `keep_bytes` of each of its outputs.

    Raises:
        ApplicationError: what `commands.run` raises.
    """
    ended = await commands.run(paths, command)
    stdout, stderr = await asyncio.to_thread(_outputs, paths, command.id, keep_bytes)
    return Unseen(ended.outcome, ended.code, ended.seconds, stdout, stderr, ended.summary.text())


def _outputs(paths: BoxPaths, command_id: str, keep_bytes: int) -> tuple[bytes, bytes]:
    kept = {wire.STDOUT: bytearray(), wire.STDERR: bytearray()}
    for frame in read_frames(paths.command(command_id) / "log"):
        room = keep_bytes - len(kept[frame.stream])
        kept[frame.stream] += frame.data[: max(0, room)]
        if all(len(part) >= keep_bytes for part in kept.values()):
            break
    return bytes(kept[wire.STDOUT]), bytes(kept[wire.STDERR])
