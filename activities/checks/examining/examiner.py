"""Reads in the bare mirror what work changes, and has it looked at."""

import asyncio

from activities.checks.examining import hidden, integrity
from activities.checks.findings.reports import keep_report
from activities.git.revisions import Difference
from activities.mirror import Mirrors
from runtime.reviews import Reviews
from runtime.store.base import Store
from workflows.contract.judging import Examination, Examine

READ_BYTES = 16 * 1024 * 1024
"""Of changed files' texts in all, both sides."""

FILES_SHOWN = 200


class Examiner:
    """Examines work; depends on nothing but its request and the bundle that this names.

    What it keeps is named by content, so a repeat writes nothing new and answers the same.
    """

    def __init__(self, mirrors: Mirrors, store: Store) -> None:
        self._mirrors = mirrors
        self._store = store
        self._reviews = Reviews(store)

    async def examine(self, request: Examine) -> Examination:
        """Say what the work changes; the diff, up to 16 MiB, is kept for people.

        Raises:
            ApplicationError: `git_tampered`, when the bundle is not what it says.
        """
        differences = await self._differences(request)
        changes = await self._texts(request, differences)
        tracked: list[str] = []
        if any(hidden.is_wanted(each.path) for each in differences):
            tracked = await self._mirrors.list_files(request.repository, request.base)
        found = await asyncio.to_thread(integrity.examine, changes, request.plan, tracked)
        files = integrity.bounded([each.path for each in differences], FILES_SHOWN)
        return Examination(
            session=request.session,
            turn=request.turn,
            files=files,
            is_cut=len(files) < len(differences),
            original=found.original,
            findings=len(found.report.findings),
            report=await keep_report(self._store, found.report),
        )

    async def _differences(self, request: Examine) -> list[Difference]:
        work = request.work
        if work.store_key is None:  # the work's files are those of its base
            return []
        bundle = await self._store.read_async(work.store_key)
        await self._mirrors.take(request.repository, work, bundle)
        diff = await self._mirrors.diff(request.repository, work.base, work.tip)
        await self._reviews.keep_diff(request.session, work.tree, diff)
        return await self._mirrors.differences(request.repository, work.base, work.tip)

    async def _texts(
        self, request: Examine, differences: list[Difference]
    ) -> list[integrity.Change]:
        read = [each for each in differences if integrity.is_read(each)][: integrity.READ_LIMIT]
        names = [name for each in read for name in (each.old, each.new)]
        blobs = await self._mirrors.read_blobs(
            request.repository, request.work.base, names, total_bytes=READ_BYTES
        )
        return list(integrity.texts_of(differences, blobs))
