"""The way into a session's events: watches shared by clients, pages, and the snapshot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from gateway.feed.chunks import Chunks
from gateway.feed.cursors import parse
from gateway.feed.looking import LookingPace
from gateway.feed.runs import Line, Runs
from gateway.feed.timeline import Timeline
from gateway.feed.watching import Watch
from gateway.problems import ProblemError
from gateway.sessions.connection import Connection
from gateway.sessions.lifecycle import Sessions
from gateway.sessions.records import Records
from gateway.sessions.resources import Shown
from runtime.store.base import Store
from workflows.contract.api import SessionResource
from workflows.contract.base import SessionId
from workflows.contract.events import EventPage, ViewChanged
from workflows.contract.problems import Code
from workflows.contract.session import Phase

LINGER_SECONDS = 5.0
"""A watch that nobody uses is kept so long, for clients that only reconnect."""

LOOKED_BACK = 100
"""Events searched for the view of a session that Temporal has forgotten."""


class Page(NamedTuple):
    """Some events and whether there are more on either side."""

    lines: list[Line]
    has_older: bool
    has_newer: bool

    def json(self) -> str:
        """Return it as an `EventPage`, from the JSON of its events."""
        empty = EventPage(data=(), has_older=self.has_older, has_newer=self.has_newer)
        items = ",".join(line.json for line in self.lines)
        return empty.model_dump_json().replace('"data":[]', f'"data":[{items}]', 1)


class _Shared:
    """A watch and how many use it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.users = 0
        self.leaving: asyncio.TimerHandle | None = None


class Feed:
    """All watched sessions of this gateway."""

    def __init__(
        self, connection: Connection, records: Records, sessions: Sessions, store: Store
    ) -> None:
        self._connection = connection
        self._store = store
        self._records = records
        self._sessions = sessions
        self._runs = Runs(connection, store)
        self._pace = LookingPace()
        self._shared: dict[SessionId, _Shared] = {}

    def close(self) -> None:
        """Stop every watch."""
        for shared in self._shared.values():
            shared.watch.stop()
        self._shared.clear()

    @asynccontextmanager
    async def watch(self, session: SessionId) -> AsyncIterator[tuple[Watch, SessionResource]]:
        """Watch a session while the block runs; gives the session as it is beside the watch.

        Raises:
            ProblemError: `session_unknown`, `temporal_unavailable`.
        """
        await self._records.require_session(session)
        resource = await self._resource(session)
        shared = self._share(session, resource)
        shared.users += 1
        if shared.leaving is not None:
            shared.leaving.cancel()
            shared.leaving = None
        try:
            await shared.watch.ready()
            yield shared.watch, resource or await self._remembered(session, shared.watch)
        finally:
            shared.users -= 1
            if shared.users == 0:
                loop = asyncio.get_running_loop()
                shared.leaving = loop.call_later(LINGER_SECONDS, self._leave, session, shared)

    async def page(
        self, session: SessionId, limit: int, *, before: str | None, after: str | None
    ) -> Page:
        """Return the newest events, or those next to a cursor on one side.

        Raises:
            ProblemError: `session_unknown`, `temporal_unavailable`, `invalid_request`.
        """
        for cursor in (before, after):
            if cursor is not None:
                parse(cursor)
        async with self.watch(session) as (watch, _):
            timeline = watch.timeline
            if after is None:
                lines = await timeline.before(before, limit)
            else:
                lines = await _next_of(timeline, after, limit)
            first, last = (lines[0].cursor, lines[-1].cursor) if lines else (after, before)
            return Page(
                lines,
                has_older=first is not None and bool(await timeline.before(first, 1)),
                has_newer=last is not None and bool(await timeline.after(last, 1)),
            )

    def _share(self, session: SessionId, resource: SessionResource | None) -> _Shared:
        shared = self._shared.get(session)
        if shared is not None:
            newest = shared.watch.timeline.newest_index
            # A session that was closed and opened again is followed anew.
            outdated = resource is not None and resource.view.run_index > newest
            if not shared.watch.is_stopped and not (shared.watch.is_closed and outdated):
                return shared
            self._leave(session, shared)
        chunks = Chunks(self._store, session)
        watch = Watch(session, self._connection, self._runs, chunks, self._pace)
        watch.start()
        self._shared[session] = shared = _Shared(watch)
        return shared

    def _leave(self, session: SessionId, shared: _Shared) -> None:
        if self._shared.get(session) is shared:
            del self._shared[session]
        if shared.users == 0:
            shared.watch.stop()

    async def _resource(self, session: SessionId) -> SessionResource | None:
        """Return the session as Temporal shows it; none when Temporal has forgotten it."""
        try:
            return await self._sessions.show(session)
        except ProblemError as problem:
            if problem.code is not Code.SESSION_UNKNOWN:
                raise
            return None

    async def _remembered(self, session: SessionId, watch: Watch) -> SessionResource:
        """Return a session that only the store remembers, as its last events show it."""
        newest = await watch.timeline.before(None, LOOKED_BACK)
        views = [line.event.event for line in newest if isinstance(line.event.event, ViewChanged)]
        if not views:
            raise ProblemError(Code.SESSION_UNKNOWN, f"nothing is left of session {session!r}")
        (first,) = await watch.timeline.after(None, 1)
        return Shown(
            options=await self._records.options(session),
            view=views[-1].view.model_copy(update={"phase": Phase.CLOSED}),
            created=first.event.at,
        ).resource(session, newest[-1].event.at)


async def _next_of(timeline: Timeline, cursor: str, limit: int) -> list[Line]:
    lines: list[Line] = []
    while len(lines) < limit and (more := await timeline.after(cursor, limit - len(lines))):
        lines += more
        cursor = lines[-1].cursor
    return lines
