"""What the checks say of the base commit, found out once for all sessions that start there."""

import asyncio
import time

import structlog

from activities.checks.running.boxes import Boxes
from activities.checks.running.check_runner import CheckRunner
from activities.failures import temporary
from activities.mirror import Mirrors
from activities.progress import attempt, is_leaving
from runtime.store.base import MissingObjectError, ObjectConflictError, Store, sha256
from workflows.contract.base import CommandId
from workflows.contract.checks import Baseline, CheckResult, CheckSpec, PrepareBaseline, RunCheck
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandOutcome,
    OpenSandbox,
    SandboxBinding,
    SandboxReady,
)

KEPT_AS = "1"
"""To be raised when findings are read or named differently: what was kept no longer compares."""

LOST_ATTEMPTS = 3
"""A sandbox that dies under the checks is made anew; the last time is taken for what it is."""

_FACTS = {CommandOutcome.EXITED, CommandOutcome.OUTPUT_LIMIT}
"""Endings that another run would have too; time, memory or a tool may be there the next time."""

log = structlog.get_logger()


class Baselines:
    """Finds or makes baselines; a kept one depends on repository, commit, checks and tools.

    The tools are those of this host: hosts with others, and the same host after an upgrade, find
    other things. Set-up commands and lock files, which make the rest of the environment, are read
    from the commit, so they need no part in the key.
    """

    def __init__(self, mirrors: Mirrors, boxes: Boxes, store: Store) -> None:
        self._mirrors = mirrors
        self._boxes = boxes
        self._store = store
        self._runner = CheckRunner(boxes, store)

    async def prepare(self, request: PrepareBaseline) -> Baseline:
        """Return the kept baseline, or run all checks in a sandbox that is removed then.

        Two at once both run them; the first one's is kept and returned by both.

        Raises:
            ApplicationError: what `Sandbox.open` raises; `temporary` when the sandbox died.
        """
        started = time.monotonic()
        key = await asyncio.to_thread(self._key, request)
        kept = await self._kept(key)
        if kept is not None:
            # An earlier attempt, or run of the session, may have been killed while it had one.
            await self._close(request)
            seconds = time.monotonic() - started
            changes = {"session": request.session, "cached": True, "seconds": seconds}
            return kept.model_copy(update=changes)
        results = await self._run_all(request)
        made = Baseline(
            session=request.session,
            commit=request.commit,
            results=tuple(result.facts() for result in results),
            cached=False,
            seconds=time.monotonic() - started,
        )
        log.info("baseline.made", session=request.session, seconds=made.seconds)
        if all(result.runnable and result.outcome in _FACTS for result in results):
            return await self._keep(key, made)
        return made

    def _key(self, request: PrepareBaseline) -> str:
        url = self._mirrors.check_url(request.repository.url)
        checks = [check.model_dump_json() for check in request.plan.checks]
        text = "\n".join([KEPT_AS, url, request.commit, self._boxes.tools(), *checks])
        return f"baselines/{sha256(text.encode())}"

    async def _kept(self, key: str) -> Baseline | None:
        try:
            return Baseline.model_validate_json(await self._store.read_async(key))
        except MissingObjectError:
            return None

    async def _keep(self, key: str, made: Baseline) -> Baseline:
        try:
            await self._store.create_async(key, made.model_dump_json().encode())
        except ObjectConflictError:
            kept = await self._kept(key)
            if kept is not None:
                return made.model_copy(update={"results": kept.results})
        return made

    async def _run_all(self, request: PrepareBaseline) -> tuple[CheckResult, ...]:
        wanted = OpenSandbox(
            session=request.session,
            sandbox_id=request.sandbox_id,
            repository=request.repository,
            branch=request.branch,
            base_commit=request.commit,
        )
        ready = await self._boxes.open(wanted)
        is_done = False
        try:
            results = [await self._run(request, ready, check) for check in request.plan.checks]
            is_done = True
        finally:
            # Another attempt attaches to what a leaving worker began. Whatever else ends this one,
            # perhaps nobody comes back; and in a sandbox that died nothing can be run again.
            if is_done or not is_leaving():
                await self._close(request)
        return tuple(results)

    async def _run(
        self, request: PrepareBaseline, ready: SandboxReady, check: CheckSpec
    ) -> CheckResult:
        run = RunCheck(
            session=request.session,
            turn=0,
            binding=ready.binding,
            command_id=CommandId(f"base-{check.name}"),
            check=check,
        )
        result = await self._runner.run(run, is_followed=False)
        if result.outcome is CommandOutcome.LOST and attempt() < LOST_ATTEMPTS:
            message = f"the sandbox of the baseline died under the check {check.name!r}"
            raise temporary(message)
        return result

    async def _close(self, request: PrepareBaseline) -> None:
        binding = SandboxBinding(sandbox_id=request.sandbox_id, queue="", workspace="")
        await self._boxes.close(CloseSandbox(session=request.session, binding=binding))
