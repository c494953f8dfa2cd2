"""A host's sandboxes behind their port, with a real repository to work on."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.mirror import Mirrors
from activities.sandbox.adapter import LocalSandboxes
from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import is_running
from runtime.settings import Settings
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from runtime.transcript import keep_arguments
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommandId, EffectId, SessionId
from workflows.contract.failures import Failure
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandResult,
    ExportWork,
    FileResult,
    OpenSandbox,
    Repository,
    RunCommand,
    SandboxReady,
    UseFile,
    WorkBundle,
)
from workflows.contract.transcript import ToolCall, ToolName

SETUP = """
[environment]
setup = ["mkdir -p build && date +%N > build/made", "echo tool > $HOME/tool"]
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    argv = ["git", "-C", str(folder), *identity, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass
class Rig:
    settings: Settings
    store: Store
    sandboxes: LocalSandboxes
    repository: Repository
    source: Path

    def restart(self) -> None:
        """Act as another worker process of the same host would."""
        self.sandboxes = LocalSandboxes(
            self.settings, self.store, Mirrors(self.settings), "host-test"
        )

    def configure(self, setup: str) -> None:
        """Commit another set-up command."""
        (self.source / ".overnight.toml").write_text(f"[environment]\nsetup = ['{setup}']\n")
        git(self.source, "commit", "--quiet", "-am", "configure")

    async def open(self, name: str = "s-1", **changes: object) -> SandboxReady:
        request = OpenSandbox(
            session=SessionId(name),
            sandbox_id=name,
            repository=self.repository,
            branch=f"overnight/{name}",
        )
        return await self.sandboxes.open(request.model_copy(update=changes))

    async def kill(self, ready: SandboxReady) -> None:
        """Kill the box with all that runs in it, and wait until nothing of it lives."""
        paths = BoxPaths(self.settings.sandboxes_path / "boxes" / ready.binding.sandbox_id)
        written = (paths.state / "status.json").read_text()
        os.kill(json.JSONDecoder().raw_decode(written)[0]["child-pid"], signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while is_running(paths):  # noqa: ASYNC110  # a lock sends no event
                await asyncio.sleep(0.01)

    async def run(self, ready: SandboxReady, shell: str, id: str = "c-1") -> CommandResult:
        return await self.sandboxes.run_command(self.command(ready, shell, id))

    async def follow_to_the_end(self, command: RunCommand) -> CommandResult:
        """Make attempts for as long as their failure is temporary, as Temporal does."""
        while True:
            try:
                return await self.sandboxes.run_command(command)
            except ApplicationError as error:
                if error.type != Failure.TEMPORARY:
                    raise

    def command(self, ready: SandboxReady, shell: str, id: str = "c-1") -> RunCommand:
        return RunCommand(
            session=ready.session,
            turn=1,
            step=1,
            binding=ready.binding,
            command_id=CommandId(id),
            shell=shell,
            timeout_seconds=PATIENCE_SECONDS,
        )

    async def use(
        self, ready: SandboxReady, id: str, tool: ToolName, **fields: object
    ) -> FileResult:
        source = await keep_arguments(self.store, json.dumps(fields).encode())
        call = ToolCall(id="call", name=tool, summary="", source=source)
        return await self.sandboxes.use_file(
            UseFile(
                session=ready.session,
                turn=1,
                step=1,
                binding=ready.binding,
                effect_id=EffectId(id),
                call=call,
            )
        )

    async def export(self, ready: SandboxReady, id: str = "export") -> WorkBundle:
        return await self.sandboxes.export_work(
            ExportWork(
                session=ready.session,
                turn=1,
                binding=ready.binding,
                base=ready.base_commit,
                command_id=CommandId(id),
            )
        )


@pytest.fixture(params=["bubblewrap", "host"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "bubblewrap":
        request.getfixturevalue("boxes_are_possible")
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "--quiet", "-b", "main")
    (source / "a.txt").write_text("one\n")
    (source / ".gitignore").write_text("build/\n")
    (source / ".overnight.toml").write_text(SETUP)
    git(source, "add", "-A")
    git(source, "commit", "--quiet", "-m", "first")
    settings = Settings(home=tmp_path / "home", sandbox=request.param)
    store = FolderStore(settings.store_path)
    rig = Rig(
        settings,
        store,
        LocalSandboxes(settings, store, Mirrors(settings), "host-test"),
        Repository(url=str(source), base="main"),
        source,
    )
    opened: list[SandboxReady] = []
    original: Callable[..., Awaitable[SandboxReady]] = rig.open

    async def remembering(*arguments: str, **changes: object) -> SandboxReady:
        ready = await original(*arguments, **changes)
        opened.append(ready)
        return ready

    rig.open = remembering  # type: ignore[method-assign]  # only notes what to close
    yield rig
    for ready in opened:
        await rig.sandboxes.close(CloseSandbox(session=ready.session, binding=ready.binding))
    assert list((settings.sandboxes_path / "boxes").iterdir()) == []
