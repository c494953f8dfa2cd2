"""Compares what checks say of the work with what they say of its base."""

import asyncio
from collections.abc import Iterable

from activities.checks.findings.reports import keep_report, read_report
from activities.checks.judging import judgement, presentation
from activities.checks.judging.evidence import Evidence, evidence_of
from activities.checks.judging.judgement import Known
from activities.mirror import Mirrors
from runtime.reviews import Reviews
from runtime.store.base import Store
from runtime.transcript import Transcripts
from workflows.contract.base import Sha256
from workflows.contract.checks import CheckFacts, CheckPlan
from workflows.contract.findings import FindingReport
from workflows.contract.judging import Judgement, JudgeWork
from workflows.contract.model import PromptText
from workflows.contract.transcript import ToolMessage, UserMessage

SOURCE_BYTES = 4 * 1024 * 1024
"""Of all files whose lines are shown."""


class Judge:
    """Judges work; depends on nothing but its request and what this names.

    What it keeps is named by content, so a repeat writes nothing new and answers the same.
    """

    def __init__(self, mirrors: Mirrors, store: Store) -> None:
        self._mirrors = mirrors
        self._store = store
        self._reviews = Reviews(store)

    async def judge(self, request: JudgeWork) -> Judgement:
        """Compare and put into words.

        Raises:
            MissingObjectError: the store has lost a report or the prompt.
        """
        known = await self._known(request)
        found = await asyncio.to_thread(judgement.judge, request, known)
        sources = await self._sources(request, presentation.wanted(found.picture))
        text = await asyncio.to_thread(presentation.message, found.picture, sources)
        call = request.call_id
        message = ToolMessage(call_id=call, text=text) if call else UserMessage(text=text)
        kept = await Transcripts(self._store).put(message)
        report = await keep_report(self._store, found.report)
        told = await asyncio.to_thread(judgement.told, request, found, report, kept)
        await self._reviews.keep(told, is_second=bool(request.alone))
        return told

    async def _known(self, request: JudgeWork) -> Known:
        plan, baseline = request.plan, request.baseline
        prompt = await self._store.read_async(f"prompts/{request.session}/{request.prompt}")
        previous = FindingReport(check="all")
        if request.previous is not None:
            previous = await read_report(self._store, request.previous)
        return Known(
            now=await self._evidence(plan, request.results),
            base=await self._evidence(plan, baseline.results),
            original=await self._evidence(plan, request.original),
            alone=await self._evidence(plan, request.alone),
            alone_at_base=await self._evidence(plan, request.alone_at_base),
            examined=await read_report(self._store, request.examination.report),
            previous=previous.findings,
            prompt=PromptText.model_validate_json(prompt).text,
        )

    async def _evidence(
        self, plan: CheckPlan, results: Iterable[CheckFacts]
    ) -> tuple[Evidence, ...]:
        reports = [(result, await self._report(result.report)) for result in results]
        return tuple(evidence_of(result, plan.checks, report) for result, report in reports)

    async def _report(self, name: Sha256 | None) -> FindingReport | None:
        return None if name is None else await read_report(self._store, name)

    async def _sources(self, request: JudgeWork, paths: Iterable[str]) -> dict[str, list[str]]:
        """Return the work's lines; what cannot be read is not shown."""
        if request.repository is None:
            return {}
        commit = request.base if request.work.store_key is None else request.work.tip
        names = {f"{commit}:{path}": path for path in paths}
        blobs = await self._mirrors.read_blobs(
            request.repository, request.base, names, total_bytes=SOURCE_BYTES
        )
        return {
            names[name]: data.decode("utf-8", "replace").split("\n") for name, data in blobs.items()
        }
