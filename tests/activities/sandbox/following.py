"""A real box, a real store, and an activity between them that follows commands."""

import asyncio
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.progress import Beats, beating
from activities.sandbox import commands
from activities.sandbox.box import StartCommand
from activities.sandbox.commands import Ended
from activities.sandbox.copying import LogCopy
from activities.sandbox.live import LiveLog
from activities.sandbox.pace import Pace
from runtime.store.base import Store, StoreUnavailableError
from runtime.store.folder import FolderStore
from tests.activities.sandbox.conftest import Box
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommandId, SessionId
from workflows.contract.failures import Failure
from workflows.contract.output import (
    WINDOW_LIMIT_BYTES,
    Channel,
    FrameDecoder,
    LiveOutput,
    stream_key,
)

SESSION = SessionId("s-1")


class HeldStore(FolderStore):
    """Holds whoever has just appended, until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.appended = threading.Event()
        self.go_on = threading.Event()

    def append(self, stream: str, offset: int, data: bytes) -> int:
        end = super().append(stream, offset, data)
        self.appended.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        return end


class FailingStore(FolderStore):
    """Takes so many appends, and then fails for good."""

    def __init__(self, folder: Path, appends: int) -> None:
        super().__init__(folder)
        self._left = appends

    def append(self, stream: str, offset: int, data: bytes) -> int:
        if self._left == 0:
            message = "the store is away"
            raise StoreUnavailableError(message)
        self._left -= 1
        return super().append(stream, offset, data)


@dataclass
class Follower:
    """Runs attempts at following commands and checks every heartbeat when it is sent."""

    box: Box
    store: Store
    pace: Pace = field(default_factory=lambda: Pace(0.0))
    shown: list[tuple[LiveOutput, bytes]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, command: StartCommand) -> Ended:
        """Make one attempt, as an activity of its own."""

        async def attempt() -> Ended:
            async with beating() as beats:
                return await commands.follow(self.box.paths, command, self._live(command.id, beats))

        return await self._environment().run(attempt)

    async def follow_to_the_end(self, command: StartCommand) -> Ended:
        """Make attempts for as long as their failure is temporary, as Temporal does."""
        while True:
            try:
                return await self.follow(command)
            except ApplicationError as error:
                if error.type != Failure.TEMPORARY:
                    raise

    async def stop(self, command_id: str) -> Ended:
        """Stop a command, as an activity of its own."""

        async def attempt() -> Ended:
            async with beating() as beats:
                live = self._live(command_id, beats)
                return await commands.stop(self.box.paths, command_id, live)

        return await self._environment().run(attempt)

    async def saw(self, text: bytes) -> None:
        """Return when what was shown to be in the store ends with the text."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._ends_with(text):
                self.news.clear()
                await self.news.wait()

    def _ends_with(self, text: bytes) -> bool:
        # Not the window: on a slow machine the text may have left it before it was shown.
        if not self.shown:
            return False
        live, _ = self.shown[-1]
        key = stream_key(SESSION, live.command_id)
        start = max(0, live.end - len(text))
        return self.store.read_stream(key, start, live.end - start) == text

    async def saw_bytes(self) -> None:
        """Return when anything is known to be in the store."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.shown or not self.shown[-1][0].end:
                self.news.clear()
                await self.news.wait()

    def log(self, command_id: str) -> bytes:
        """Return the log as the box has it."""
        return (self.box.paths.command(command_id) / "log").read_bytes()

    def stream(self, command_id: str) -> bytes:
        """Return the log as the store has it."""
        key = stream_key(SESSION, CommandId(command_id))
        kept = bytearray()
        while data := self.store.read_stream(key, len(kept), 2**20):
            kept += data
        assert len(kept) == self.store.stream_end(key)
        return bytes(kept)

    def kept(self, command_id: str) -> dict[Channel, bytes]:
        """Return both outputs from the store, which must hold whole frames alone."""
        decoder = FrameDecoder()
        outputs = {channel: bytearray() for channel in Channel}
        for frame in decoder.feed(self.stream(command_id)):
            outputs[frame.channel] += frame.data
        assert decoder.pending == 0
        return {channel: bytes(output) for channel, output in outputs.items()}

    def _live(self, command_id: str, beats: Beats) -> LiveLog:
        name = CommandId(command_id)
        log = self.box.paths.command(name) / "log"
        copy = LogCopy(log, self.store, stream_key(SESSION, name))
        return LiveLog(name, copy, beats, self.pace)

    def _environment(self) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.on_heartbeat = self._note
        return environment

    def _note(self, *details: object) -> None:
        if not details:
            return
        live, window = details
        assert isinstance(live, LiveOutput)
        assert isinstance(window, bytes)
        key = stream_key(SESSION, live.command_id)
        assert live.end <= self.store.stream_end(key)
        assert live.end - live.start == len(window) <= WINDOW_LIMIT_BYTES
        assert self.store.read_stream(key, live.start, len(window)) == window
        decoder = FrameDecoder()
        assert all(decoder.feed(window))
        assert not decoder.pending
        self.shown.append((live, window))
        self.news.set()


class Gate:
    """A pipe in the workspace at which a command waits: `read -r _ <&9` after `exec 9< gate`."""

    def __init__(self, box: Box) -> None:
        path = box.paths.workspace / "gate"
        os.mkfifo(path)
        # For reading too, so that opening waits for nobody.
        self._descriptor = os.open(path, os.O_RDWR)

    def open(self) -> None:
        """Let the command through, once."""
        os.write(self._descriptor, b"\n")

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._descriptor)
