"""Real boxes: every test that takes `box` runs under bubblewrap and on the bare host."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from activities.sandbox import canary, namespaces
from activities.sandbox.box import BoxClient, BoxPaths, Exit, FileAnswer, StartCommand
from activities.sandbox.inside import wire
from activities.sandbox.lifetime import Launch, destroy, ensure_running, is_running
from activities.sandbox.output import read_frames
from tests.activities.sandbox.rigging import rig  # noqa: F401  # a fixture
from tests.patience import PATIENCE_SECONDS
from tests.provider import refusal

PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass
class Box:
    """A running box with the few gestures tests need."""

    provider: str
    paths: BoxPaths
    launch: Launch
    client: BoxClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = BoxClient(self.paths)

    @property
    def workspace(self) -> str:
        """The workspace as commands see it."""
        walled = self.provider == "bubblewrap"
        return namespaces.WORKSPACE if walled else str(self.paths.workspace)

    @property
    def supervisor(self) -> int:
        """Process id of the supervisor."""
        written = (self.paths.state / "status.json").read_text()
        return int(json.JSONDecoder().raw_decode(written)[0]["child-pid"])

    async def kill(self) -> None:
        """Kill the supervisor and wait until nothing of the box lives."""
        os.kill(self.supervisor, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while is_running(self.paths):  # noqa: ASYNC110  # a lock sends no event
                await asyncio.sleep(0.01)

    def command(
        self,
        shell: str,
        name: str | None = None,
        timeout_s: float = PATIENCE_SECONDS,
        output_limit: int = 64 * 1024 * 1024,
    ) -> StartCommand:
        """Describe a command with an id of its own."""
        return StartCommand(
            id=name or uuid.uuid4().hex,
            shell=shell,
            env={"PATH": PATH},
            timeout_s=timeout_s,
            output_limit=output_limit,
        )

    async def start(self, command: StartCommand) -> str:
        """Start a command and return its id."""
        await self.client.start(command)
        return command.id

    async def ended(self, name: str) -> Exit:
        """Wait for a command's end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                progress = await self.client.wait(name, 2**60, 10.0)
                assert progress is not None
                if progress.exit is not None:
                    return progress.exit

    async def said(self, name: str, text: bytes) -> None:
        """Wait until a command has written the text."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            size = 0
            while text not in self.output(name):
                progress = await self.client.wait(name, size, 10.0)
                assert progress is not None
                size = progress.size

    async def run(self, shell: str) -> tuple[Exit, bytes]:
        """Run a command to its end; returns the end and its stdout."""
        name = await self.start(self.command(shell))
        return await self.ended(name), self.output(name)

    def output(self, name: str, stream: int = wire.STDOUT) -> bytes:
        """Return what a command has written so far."""
        frames = read_frames(self.paths.command(name) / "log")
        return b"".join(frame.data for frame in frames if frame.stream == stream)

    async def file(self, action: str, path: str, **fields: object) -> FileAnswer:
        """Use a file, under an effect id of its own unless one is given."""
        request = {"effect_id": uuid.uuid4().hex, "action": action, "path": path, **fields}
        return await self.client.file(request)


def launch_for(provider: str, paths: BoxPaths) -> Launch:
    """Return what makes a box of the provider."""
    spec = namespaces.BoxSpec(paths)
    interpreter = namespaces.own_interpreter()
    if provider == "host":
        return lambda handover: namespaces.host_argv(spec, interpreter, handover)
    bwrap, layout = canary.find_bwrap(), namespaces.host_layout()
    return lambda handover: namespaces.bwrap_argv(bwrap, spec, layout, interpreter, handover)


@pytest.fixture(scope="session")
def boxes_are_possible() -> None:
    """Skip tests of bubblewrap on a host that refuses it, saying why."""
    if refusal() is not None:
        pytest.skip("no bubblewrap box can be made here; the head of the report says why")


async def _running(provider: str, folder: Path) -> AsyncIterator[Box]:
    paths = BoxPaths(folder / "a box")
    paths.make()
    namespaces.write_etc(paths)
    box = Box(provider, paths, launch_for(provider, paths))
    await ensure_running(paths, box.launch)
    try:
        yield box
    finally:
        await destroy(paths)


@pytest.fixture(params=["bubblewrap", "host"])
async def box(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Box]:
    if request.param == "bubblewrap":
        request.getfixturevalue("boxes_are_possible")
    async for running in _running(request.param, tmp_path):
        yield running


@pytest.fixture
async def walled(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Box]:
    request.getfixturevalue("boxes_are_possible")
    async for running in _running("bubblewrap", tmp_path):
        yield running
