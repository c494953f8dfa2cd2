"""What a person looks at before deciding on some work: its diff and its findings, by its tree.

Activities keep both while they judge, and the gateway reads them; nothing is ever replaced.
"""

import asyncio
from contextlib import suppress

from runtime.store.base import MissingObjectError, ObjectConflictError, Store
from workflows.contract.base import SessionId, Sha256
from workflows.contract.judging import Judgement


class Reviews:
    """Diffs and judgements in the store.

    Keeping one again changes nothing, even if another version of git or of the checks words it
    otherwise. Every method raises OSError when the store cannot be asked.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep_diff(self, session: SessionId, tree: str, diff: bytes) -> None:
        """Keep the whole diff between the session's base commit and the tree."""
        with suppress(ObjectConflictError):
            await self._store.create_async(_diff_key(session, tree), diff)

    async def has_diff(self, session: SessionId, tree: str) -> bool:
        """Tell whether the diff was kept: of work without checks it is not."""
        return await asyncio.to_thread(self._store.exists, _diff_key(session, tree))

    async def diff(self, session: SessionId, tree: str) -> bytes:
        """Return the diff as `git diff` printed it.

        Raises:
            MissingObjectError: it was not kept.
        """
        return await self._store.read_async(_diff_key(session, tree))

    async def keep(self, judgement: Judgement, *, is_second: bool) -> None:
        """Keep a judgement; a second one of the same round counts in place of the first."""
        folder = _folder(judgement.session, judgement.tree)
        name = f"{judgement.turn:06}-{judgement.round:06}-{int(is_second)}"
        with suppress(ObjectConflictError):
            await self._store.create_async(f"{folder}/{name}", judgement.model_dump_json().encode())

    async def findings(self, session: SessionId, tree: str) -> bytes:
        """Return the `FindingReport` of the newest judgement of the tree, as JSON.

        Raises:
            MissingObjectError: it was never judged.
        """
        folder = _folder(session, tree)
        kept = await asyncio.to_thread(self._store.list, folder)
        if not kept:
            raise MissingObjectError(folder)
        newest = Judgement.model_validate_json(await self._store.read_async(kept[-1]))
        return await self._store.read_async(report_key(newest.report))


def report_key(name: Sha256) -> str:
    """Return where a report of findings is kept, by its content's hash."""
    return f"reports/{name[:2]}/{name}"


def _diff_key(session: SessionId, tree: str) -> str:
    return f"diffs/{session}/tree-{tree}"


def _folder(session: SessionId, tree: str) -> str:
    return f"judged/{session}/{tree}"
