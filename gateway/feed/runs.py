"""Runs of sessions as their events: read whole from the store or from Temporal, the newest kept.

A run is bounded (about 2,000 events of history, `workflows/policy/renewal.py`), so it is always
taken as a whole; a page or a client that resumes needs one or two of them.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.service import RPCError, RPCStatusCode

from gateway.feed.cursors import Place
from gateway.feed.once import Once
from gateway.feed.projection import RunProjection
from gateway.problems import ProblemError
from gateway.sessions.connection import Connection
from gateway.sessions.records import asking_store
from runtime.store.base import Store
from workflows.contract.base import SessionId
from workflows.contract.events import SessionEvent
from workflows.contract.problems import Code
from workflows.contract.session import PreviousRun

KEPT_RUNS = 24
"""Runs that are over kept in memory by a gateway, about 2 MiB each at the most usual."""


class Line(NamedTuple):
    """An event as it is kept: once as a value and once as the JSON that every client gets."""

    cursor: str
    event: SessionEvent
    json: str


class Run:
    """One run's events; an open one grows."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.projection = RunProjection()
        self.lines: list[Line] = []

    def take(self, history: Iterable[HistoryEvent]) -> bool:
        """Take in events; those already known are passed over. Tells whether anything is shown."""
        known = len(self.lines)
        for event in history:
            if event.event_id > self.projection.last_event:
                self.lines += [
                    Line(shown.cursor, shown, shown.model_dump_json())
                    for shown in self.projection.take(event)
                ]
        return len(self.lines) > known

    @property
    def index(self) -> int:
        """Which run of the session it is."""
        return self.projection.index

    @property
    def is_whole(self) -> bool:
        """Nothing more will happen in it."""
        return self.projection.end is not None

    def after(self, cursor: str, limit: int) -> list[Line]:
        """Return the next events behind a cursor."""
        start = bisect_right(self.lines, cursor, key=lambda line: line.cursor)
        return self.lines[start : start + limit]

    def before(self, cursor: str, limit: int) -> list[Line]:
        """Return the last events before a cursor, in their order."""
        end = bisect_left(self.lines, cursor, key=lambda line: line.cursor)
        return self.lines[max(0, end - limit) : end]


class Runs:
    """Reads the runs that are over; a bounded number of them stays in memory."""

    def __init__(self, connection: Connection, store: Store) -> None:
        self._connection = connection
        self._store = store
        self._kept: OrderedDict[tuple[SessionId, int], Run] = OrderedDict()
        self._loading: Once[tuple[SessionId, int, bool], Run | None] = Once()

    def keep(self, session: SessionId, run: Run) -> None:
        """Keep a run that is over."""
        key = (session, run.index)
        self._kept[key] = run
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_RUNS:
            self._kept.popitem(last=False)

    async def get(self, session: SessionId, index: int, previous: PreviousRun | None) -> Run | None:
        """Return a run that is over; none when neither the store nor Temporal has it any more.

        `previous` names it in Temporal; without that only the store is asked, which may have no
        more than a part of it.

        Raises:
            ProblemError: `temporal_unavailable`, `store_unavailable`.
        """
        key = (session, index)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        what = (*key, previous is not None)
        return await self._loading.get(what, lambda: self._load(session, index, previous))

    async def newest_archived(self, session: SessionId) -> int:
        """Return the index of the newest run that the store has; -1 when it has none."""
        with asking_store("read"):
            keys = await asyncio.to_thread(self._store.list, f"histories/{session}")
        return max((_index_of(key) for key in keys), default=-1)

    async def _load(
        self, session: SessionId, index: int, previous: PreviousRun | None
    ) -> Run | None:
        with asking_store("read"):
            run = await asyncio.to_thread(self._archived, session, index)
        # A session archives its last run just before it ends, and the whole of it when it is
        # opened again: Temporal has what is missing meanwhile.
        if previous is not None and (run is None or not run.is_whole):
            run = await self._fetched(session, previous) or run
        # There may soon be more of a part.
        if run is not None and run.is_whole:
            self.keep(session, run)
        return run

    async def _fetched(self, session: SessionId, previous: PreviousRun) -> Run | None:
        handle = self._connection.client.get_workflow_handle(session, run_id=previous.run_id)
        try:
            history = [event async for event in handle.fetch_history_events()]
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            detail = f"Temporal answered {error.status.name}"
            raise ProblemError(Code.TEMPORAL_UNAVAILABLE, detail) from error
        run = Run(previous.run_id)
        await asyncio.to_thread(run.take, history)
        return run

    def _archived(self, session: SessionId, index: int) -> Run | None:
        keys = self._store.list(f"histories/{session}", f"{index:06}-")
        if not keys:
            return None
        run = Run("")
        run.take(History.FromString(self._store.read(keys[-1])).events)
        return run


def first_cursor(index: int) -> str:
    """Return a cursor before all events of a run."""
    return Place(index, 0).cursor()


def _index_of(key: str) -> int:
    return int(key.rpartition("/")[2].partition("-")[0])
