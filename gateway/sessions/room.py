"""Whether a session can take one more prompt, although its view lags behind what was sent to it.

A prompt that was accepted must not be refused by the session afterwards. So what this gateway has
sent counts until the session has certainly seen it; what others send meanwhile finds the room that
a session keeps beyond `QUEUE_LIMIT`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from gateway.problems import ProblemError
from gateway.sessions.connection import Connection, bounded
from gateway.sessions.reaching import described
from gateway.sessions.resources import is_open, shown
from workflows.contract.base import SessionId
from workflows.contract.problems import Code
from workflows.contract.session import QUEUE_LIMIT

SETTLING_SECONDS = 1.0
"""So long a session that seems full may take to see what is on its way to it."""

LOOK_SECONDS = 0.05

KEPT_SESSIONS = 1_000
"""Sessions of which it is remembered what was sent; of others it counts as seen."""


class _Sent:
    """A prompt on its way."""

    at: float | None = None
    """When Temporal had it; none until then."""


class Rooms:
    """The rooms of all sessions, as far as this gateway fills them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._under_way: OrderedDict[SessionId, list[_Sent]] = OrderedDict()

    @asynccontextmanager
    async def place(self, session: SessionId, *, is_repeated: bool) -> AsyncIterator[None]:
        """Hold a place in a session's queue while a prompt is sent to it.

        One that was sent before is sent in any case: it may be one of those that wait.

        Raises:
            ProblemError: `queue_full`, `session_unknown`, `temporal_unavailable`.
        """
        if not is_repeated:
            await self._find(session)
        # Nobody else ran since there was room.
        sent = _Sent()
        self._under_way.setdefault(session, []).append(sent)
        self._under_way.move_to_end(session)
        if len(self._under_way) > KEPT_SESSIONS:
            self._under_way.popitem(last=False)
        try:
            yield
        finally:
            sent.at = monotonic()

    async def _find(self, session: SessionId) -> None:
        """Return when the session has room, or is closed, which it tells itself."""
        patient_until = monotonic() + SETTLING_SECONDS
        while True:
            looked_at = monotonic()
            async with bounded(Code.TEMPORAL_UNAVAILABLE):
                run = await described(self._connection, session)
                view = (await shown(run)).view
            if not run.raw_description.HasField("pending_workflow_task"):
                self._forget(session, looked_at)
            under_way = len(self._under_way.get(session, ()))
            is_full = view.full or view.queued + under_way >= QUEUE_LIMIT
            if not is_full or not is_open(run):
                return
            if not under_way or monotonic() > patient_until:
                detail = f"{view.queued + under_way} prompts of session {session!r} wait"
                raise ProblemError(Code.QUEUE_FULL, detail)
            await asyncio.sleep(LOOK_SECONDS)

    def _forget(self, session: SessionId, looked_at: float) -> None:
        """A session with nothing left to look at has seen what was sent before."""
        sent = self._under_way.pop(session, [])
        if left := [each for each in sent if each.at is None or each.at >= looked_at]:
            self._under_way[session] = left
