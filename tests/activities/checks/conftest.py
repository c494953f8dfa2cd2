"""A real repository, real boxes with the tools of our own environment, and the adapter on them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from git import Repo

from activities.checks.findings.reports import read_report
from activities.checks.runner import CommandChecks
from activities.mirror import Mirrors
from activities.sandbox.adapter import LocalSandboxes
from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import is_running
from runtime.settings import Settings
from runtime.store.base import Store
from runtime.transcript import Transcripts
from tests.activities.repositories import commit_files, make_origin, named
from tests.patience import PATIENCE_SECONDS
from tests.provider import sandbox_provider
from workflows.contract.base import CommandId, CommitSha, SessionId
from workflows.contract.checks import (
    Baseline,
    CheckPlan,
    CheckResult,
    CheckSpec,
    DetectChecks,
    PrepareBaseline,
    RunCheck,
)
from workflows.contract.findings import FindingReport
from workflows.contract.sandbox import CloseSandbox, OpenSandbox, SandboxReady

SESSION = SessionId("s1")


@dataclass
class Rig:
    """One host's sandboxes and checks, and a person's repository."""

    settings: Settings
    store: Store
    repo: Repo
    ready: SandboxReady | None = None
    opened: list[SandboxReady] = field(default_factory=list)
    commands: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Act as another worker process of the same host would."""
        self.mirrors = Mirrors(self.settings)
        self.transcripts = Transcripts(self.store)
        self.sandboxes = LocalSandboxes(self.settings, self.store, self.mirrors, "host")
        self.checks = CommandChecks(self.mirrors, self.sandboxes, self.store)

    @property
    def boxes(self) -> Path:
        """The folder of all boxes."""
        return self.settings.sandboxes_path / "boxes"

    @property
    def origin(self) -> Path:
        """The folder where the person works."""
        return Path(self.repo.working_dir)

    @property
    def commit(self) -> CommitSha:
        """The repository's newest commit."""
        return CommitSha(self.repo.head.commit.hexsha)

    async def open(self, files: dict[str, str] | None = None, name: str = "s1-r1") -> SandboxReady:
        """Commit files, if any, and open a sandbox at that commit; later calls act in it."""
        if files:
            commit_files(self.repo, files)
        self.ready = await self.sandboxes.open(
            OpenSandbox(
                session=SESSION,
                sandbox_id=name,
                repository=named(self.repo),
                branch=f"overnight/{name}",
                base_commit=self.commit,
            )
        )
        self.opened.append(self.ready)
        return self.ready

    def path(self, name: str) -> Path:
        """Return a file of the workspace as this process sees it."""
        assert self.ready is not None
        return self.boxes / self.ready.binding.sandbox_id / "workspace" / name

    def write(self, files: dict[str, str]) -> None:
        """Change files of the workspace, as a session does."""
        for name, text in files.items():
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
            self.path(name).write_text(text)

    async def kill_box(self, name: str = "s1-r1") -> None:
        """Kill a box with all that runs in it, and wait until nothing of it lives."""
        paths = BoxPaths(self.boxes / name)
        written = (paths.state / "status.json").read_text()
        os.kill(int(json.JSONDecoder().raw_decode(written)[0]["child-pid"]), signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while paths.state.is_dir() and is_running(paths):  # noqa: ASYNC110  # a lock
                await asyncio.sleep(0.01)

    def request(self, check: CheckSpec, **changes: object) -> RunCheck:
        """Ask for a check under an id that nothing used yet."""
        assert self.ready is not None
        self.commands += 1
        request = RunCheck(
            session=SESSION,
            turn=1,
            binding=self.ready.binding,
            command_id=CommandId(f"c{self.commands}"),
            check=check,
        )
        return request.model_copy(update=changes)

    async def run(self, check: CheckSpec, **changes: object) -> tuple[CheckResult, FindingReport]:
        """Run a check to its end and read its report."""
        result = await self.checks.run(self.request(check, **changes))
        return result, await self.report(result)

    async def report(self, result: CheckResult) -> FindingReport:
        """Read what a result names."""
        assert result.report is not None
        return await read_report(self.store, result.report)

    async def detect(self) -> CheckPlan:
        """Read the plan at the newest commit."""
        return await self.checks.detect(
            DetectChecks(session=SESSION, repository=named(self.repo), commit=self.commit)
        )

    def preparing(self, plan: CheckPlan, session: str = "s1") -> PrepareBaseline:
        """Ask for the baseline of the newest commit."""
        return PrepareBaseline(
            session=SessionId(session),
            sandbox_id=f"{session}-base",
            repository=named(self.repo),
            commit=self.commit,
            branch=f"overnight/{session}",
            plan=plan,
        )

    async def baseline(self, plan: CheckPlan, session: str = "s1") -> Baseline:
        """Find or make the baseline of the newest commit."""
        return await self.checks.baseline(self.preparing(plan, session))


@pytest.fixture
async def rig(tmp_path: Path, store: Store) -> AsyncIterator[Rig]:
    chosen = {"sandbox": sandbox_provider(), "toolchain": (Path(sys.prefix),)}
    settings = Settings.model_validate({"home": tmp_path / "home", **chosen})
    rig = Rig(settings, store, make_origin(tmp_path / "origin"))
    yield rig
    rig.repo.close()
    for ready in rig.opened:
        await rig.sandboxes.close(CloseSandbox(session=SESSION, binding=ready.binding))
    assert [path.name for path in rig.boxes.glob("*")] == []
