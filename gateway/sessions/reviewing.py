"""What a person looks at before deciding: the question, the diff of exactly its files, findings.

All of it is read without a worker.
"""

from contextlib import suppress

from pydantic import ValidationError

from gateway.problems import ProblemError
from gateway.sessions.connection import Connection, bounded
from gateway.sessions.reaching import asked_by, described
from gateway.sessions.records import Records, asking_store
from gateway.sessions.resources import shown
from runtime.reviews import Reviews
from runtime.store.base import MissingObjectError, Store
from workflows.contract.api import OpenQuestion
from workflows.contract.asking import Asked, AskedKind
from workflows.contract.base import SessionId
from workflows.contract.problems import Code
from workflows.contract.tools import AskArguments, BashArguments

_ABOUT_FILES = (AskedKind.PULL_REQUEST, AskedKind.VERDICT)
_TREE = "tree "


class Reviewing:
    """Questions, diffs and findings of sessions.

    All methods raise ProblemError `session_unknown`, `temporal_unavailable`, `store_unavailable`.
    """

    def __init__(self, connection: Connection, records: Records, store: Store) -> None:
        self._connection = connection
        self._records = records
        self._reviews = Reviews(store)

    async def question(self, session: SessionId) -> OpenQuestion:
        """Return what a session asks, with the whole of what it is about.

        Raises:
            ProblemError: `question_not_open`, `session_closed`.
        """
        asked = await self._asked(session)
        if asked.source is not None:
            arguments = await self._records.arguments(asked.source)
            return OpenQuestion(asked=asked, whole=_whole(arguments))
        return OpenQuestion(asked=asked, diff=await self._place(session, asked))

    async def question_diff(self, session: SessionId, question: str | None) -> bytes:
        """Return the whole diff of the files that a session asks about.

        Args:
            session: who asks.
            question: its id; the diff of another one's files is refused.

        Raises:
            ProblemError: `question_not_open`, `session_closed`, `no_diff`.
        """
        asked = await self._asked(session)
        if question not in (None, asked.id):
            detail = f"session {session!r} asks {asked.id!r}, not {question!r}"
            raise ProblemError(Code.QUESTION_NOT_OPEN, detail)
        tree = _tree_of(asked)
        if tree is None:
            detail = f"the question {asked.id!r} ({asked.kind.value}) is about no files"
            raise ProblemError(Code.NO_DIFF, detail)
        return await self._diff(session, tree)

    async def diff(self, session: SessionId) -> bytes:
        """Return the whole diff of the work that was judged last, proposed or not.

        Raises:
            ProblemError: `no_diff`.
        """
        tree = await self._judged_tree(session)
        if tree is None:
            raise ProblemError(Code.NO_DIFF, f"no work of session {session!r} was judged yet")
        return await self._diff(session, tree)

    async def findings(self, session: SessionId) -> bytes:
        """Return all findings that block the work that was judged last, as JSON.

        Raises:
            ProblemError: `not_judged`.
        """
        tree = await self._judged_tree(session)
        if tree is not None:
            with asking_store("read"), suppress(MissingObjectError):
                return await self._reviews.findings(session, tree)
        raise ProblemError(Code.NOT_JUDGED, f"no checks have judged work of session {session!r}")

    async def _asked(self, session: SessionId) -> Asked:
        async with bounded(Code.TEMPORAL_UNAVAILABLE):
            asked = await asked_by(self._connection, session)
        if asked is None:
            raise ProblemError(Code.QUESTION_NOT_OPEN, f"session {session!r} asks nothing")
        return asked

    async def _judged_tree(self, session: SessionId) -> str | None:
        async with bounded(Code.TEMPORAL_UNAVAILABLE):
            view = (await shown(await described(self._connection, session))).view
        return view.verdict.tree if view.verdict is not None else None

    async def _place(self, session: SessionId, asked: Asked) -> str:
        tree = _tree_of(asked)
        with asking_store("read"):
            if tree is None or not await self._reviews.has_diff(session, tree):
                return ""
        return f"/api/v1/sessions/{session}/question/diff?question={asked.id}"

    async def _diff(self, session: SessionId, tree: str) -> bytes:
        try:
            with asking_store("read"):
                return await self._reviews.diff(session, tree)
        except MissingObjectError as error:
            detail = f"no diff was kept of tree {tree!r} of session {session!r}"
            raise ProblemError(Code.NO_DIFF, detail) from error


def _tree_of(asked: Asked) -> str | None:
    """Return the tree that a question is about; none when it is about no files."""
    if asked.kind not in _ABOUT_FILES or not asked.subject.startswith(_TREE):
        return None
    return asked.subject.removeprefix(_TREE)


def _whole(arguments: bytes) -> str:
    """Return what a call's arguments say to people: the command of one, the question of another."""
    for kind, field in ((BashArguments, "command"), (AskArguments, "question")):
        with suppress(ValidationError):
            return str(getattr(kind.model_validate_json(arguments), field))
    return ""
