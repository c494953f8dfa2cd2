"""A box as the host sees it: its folders, and the client of the supervisor inside.

Who starts and removes boxes is `lifetime`; what they are made of is `namespaces`.
"""

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from activities.sandbox.inside import wire
from workflows.contract.base import Frozen
from workflows.contract.sandbox import CommandOutcome

REPLY_TIMEOUT_S = 30.0
"""A reply takes at most this long beyond what the request itself waits for."""

RECONNECT_S = 0.005
MAX_REPLY_BYTES = 32 * 1024 * 1024


class BoxGone(Exception):  # noqa: N818  # an event, not a mistake
    """Nothing serves this box: it was never started, it ended, or it ended while we asked."""


class BoxRefused(Exception):  # noqa: N818
    """The supervisor could not do what was asked; the message says why."""


@dataclass(frozen=True)
class BoxPaths:
    """Where a box keeps things on the host: `<boxes>/<sandbox id>/`."""

    root: Path

    @property
    def workspace(self) -> Path:
        """Holds the repository; the only folder shared with commands besides `home`."""
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        """Home folder of the box's user."""
        return self.root / "home"

    @property
    def state(self) -> Path:
        """Logs, exits, effects, socket and lock; commands in a box cannot see it."""
        return self.root / "state"

    def command(self, command_id: str) -> Path:
        """Folder of a command, with `log` and, after its end, `exit.json`."""
        return self.state / "commands" / command_id

    def make(self) -> None:
        """Make the folders that are missing, closed to other users."""
        for folder in (self.root, self.workspace, self.home, self.state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


class KeptBytes(Frozen):
    """Bytes of output in a command's log."""

    stdout: int
    stderr: int


class Exit(Frozen):
    """How a command ended; `lost` when its box ended before it."""

    outcome: CommandOutcome
    code: int | None
    """Exit code of the command's first process, if it ended by itself."""

    signal: str | None
    """Name of the signal that ended it."""

    bytes: KeptBytes
    started_ns: int
    ended_ns: int


class Started(Frozen):
    """What a start found: `started` by this request, `running` or `ended` already."""

    state: str
    exit: Exit | None = None


class Progress(Frozen):
    """How long a command's log is, and its end if it has ended."""

    size: int
    exit: Exit | None


class FileAnswer(Frozen):
    """What became of a use of a file; the text is for the model."""

    ok: bool
    text: str


class KeptOutput(Frozen):
    """Where commands find the text of a whole output."""

    path: str
    """Absolute, as commands see it."""

    whole: bool
    """False when only its beginning and its end were kept."""


class Pong(Frozen):
    """The supervisor lives."""

    pid1: bool
    version: int
    running: tuple[str, ...]


class _Stopped(Frozen):
    exit: Exit


class _Ended(Frozen):
    ended: bool


class StartCommand(Frozen):
    """A command to run once under its id (1 to 120 of letters, digits, `.`, `_`, `-`)."""

    id: str
    shell: str
    """Given to `bash -c` (`sh` where there is no bash); at most 128 KiB, a limit of Linux."""

    cwd: str = "."
    """Relative to the workspace, or absolute as the box sees it."""

    env: Mapping[str, str]
    """The whole environment; nothing is inherited."""

    timeout_s: float
    output_limit: int
    """Bytes of both streams together; the command is killed at the next one."""


def read_exit(paths: BoxPaths, command_id: str) -> Exit | None:
    """Return a command's recorded end without asking the supervisor; None when there is none.

    A record that cannot be read is none.
    """
    try:
        return Exit.model_validate_json((paths.command(command_id) / "exit.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


class BoxClient:
    """Asks one box's supervisor; holds no connection between requests, so any number may share it.

    Every method raises `BoxGone` when nothing serves the box and `BoxRefused` when the request
    cannot be done. A request whose reply was lost may be repeated: each is idempotent by its id.
    """

    def __init__(self, paths: BoxPaths) -> None:
        self._paths = paths

    async def start(self, command: StartCommand) -> Started:
        """Start a command unless its id was used before; then say what became of it."""
        return Started.model_validate(await self._ask("start", command.model_dump()))

    async def wait(self, command_id: str, offset: int, wait_s: float) -> Progress | None:
        """Return when the log is longer than `offset`, the command ended, or the time is over.

        At most 60 s. None when the id was never used.
        """
        fields = {"id": command_id, "offset": offset, "wait_s": wait_s}
        patience_s = REPLY_TIMEOUT_S + min(wait_s, wire.MAX_WAIT_S)
        reply = await self._exchange({"op": "wait", **fields}, patience_s)
        return None if reply == {"error": "unknown"} else Progress.model_validate(_checked(reply))

    async def stop(self, command_id: str, grace_s: float = 1.0) -> Exit:
        """End a command and all it started; returns when its end is recorded.

        SIGTERM first, SIGKILL after the grace. An id that was not used yet never will run.
        """
        reply = await self._ask("stop", {"id": command_id, "grace_s": grace_s})
        return _Stopped.model_validate(reply).exit

    async def file(self, fields: Mapping[str, object]) -> FileAnswer:
        """View, edit or write a file; a change is applied once per `effect_id`.

        Fields: `action`, `path`, and for a view `start`, `end`; for an edit `effect_id`, `old_str`,
        `new_str`, `replace_all`; for a write `effect_id`, `content`.
        """
        return FileAnswer.model_validate(await self._ask("file", fields))

    async def keep_output(self, command_id: str, tail: int) -> KeptOutput:
        """Have an ended command's output written to a file that commands and views can read.

        A repeat writes the same file anew. Of more than 64 MiB of log the beginning is kept, and
        what follows `tail`, where a frame begins. Only the newest 50 files and 256 MiB stay.
        `BoxRefused` also when a command put something in the way, or the disk is full.
        """
        fields = {"id": command_id, "tail": tail}
        return KeptOutput.model_validate(await self._ask("keep_output", fields))

    async def ping(self) -> Pong:
        """Ask for a sign of life."""
        return Pong.model_validate(await self._ask("ping", {}))

    async def shutdown(self) -> None:
        """Kill every command and end the supervisor; returns when all ends are recorded."""
        _Ended.model_validate(await self._ask("shutdown", {}))

    async def _ask(self, operation: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        return _checked(await self._exchange({**fields, "op": operation}, REPLY_TIMEOUT_S))

    async def _exchange(
        self, request: Mapping[str, object], patience_s: float
    ) -> Mapping[str, object]:
        line = json.dumps(request).encode() + b"\n"
        if len(line) > wire.MAX_REQUEST_BYTES:
            message = f"a request is at most {wire.MAX_REQUEST_BYTES} bytes, this is {len(line)}"
            raise BoxRefused(message)
        try:
            async with asyncio.timeout(patience_s):
                answer = await self._send(line)
        except (OSError, TimeoutError) as problem:
            message = f"box {self._paths.root.name!r} does not answer: {problem!r}"
            raise BoxGone(message) from problem
        if not answer.endswith(b"\n"):
            message = f"box {self._paths.root.name!r} ended before it answered"
            raise BoxGone(message)
        reply = json.loads(answer)
        if not isinstance(reply, dict):
            message = f"box {self._paths.root.name!r} answered no object"
            raise BoxRefused(message)
        return reply

    async def _send(self, line: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(
            sock=await self._connect(), limit=MAX_REPLY_BYTES
        )
        try:
            writer.write(line)
            return await reader.readline()
        finally:
            writer.close()

    async def _connect(self) -> socket.socket:
        folder = os.open(self._paths.state, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            while True:
                # A socket's address holds 107 characters; this one is short for any folder.
                connection = _connected(f"/proc/self/fd/{folder}/socket")
                if connection is not None:
                    return connection
                await asyncio.sleep(RECONNECT_S)
        finally:
            os.close(folder)


def _connected(address: str) -> socket.socket | None:
    """Connect; None when the queue is full, which asyncio would take for a connection under way."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(0)
    try:
        connection.connect(address)
    except BlockingIOError:
        connection.close()
        return None
    except OSError:
        connection.close()
        raise
    return connection


def _checked(reply: Mapping[str, object]) -> Mapping[str, object]:
    error = reply.get("error")
    if error is not None:
        raise BoxRefused(str(error))
    return reply
