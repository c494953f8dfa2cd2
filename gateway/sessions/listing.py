"""The list of sessions, newest first, from Temporal's visibility.

Visibility sorts open before closed runs and the closed ones by their end, lists each run of a
session, and shows a new run only after a moment. So this takes ever longer spans of time, sorts
them, drops runs that have a successor, and adds what this gateway has just started.
"""

import base64
import binascii
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from temporalio.client import WorkflowExecution

from gateway.problems import ProblemError
from gateway.sessions.connection import Connection, bounded
from gateway.sessions.resources import is_open, is_shown, resource_of
from workflows.contract.api import SessionList, SessionResource
from workflows.contract.base import SessionId
from workflows.contract.names import PHASE_ATTRIBUTE, SESSION_WORKFLOW
from workflows.contract.problems import Code
from workflows.contract.session import Phase

CACHE_SECONDS = 1.0
"""A page may be so old; many open tabs cost visibility one query a second."""

RECENT_SECONDS = 3.0
"""What this gateway started is in the whole list for so long even if visibility lags."""

SPANS = (timedelta(days=1), timedelta(days=30), None)
"""A page is looked for in the newest day, then month, then in all time."""

FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Of a cursor; beyond them the arithmetic of spans would fail."""

_ALL = f"WorkflowType = '{SESSION_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"


class Place(NamedTuple):
    """Where in the list a session stands: by the start of its newest run."""

    started: datetime
    session: str

    def cursor(self) -> str:
        """Return it for the client, who need not understand it."""
        text = json.dumps([self.started.isoformat(), self.session])
        return base64.urlsafe_b64encode(text.encode()).decode()


class _Row(NamedTuple):
    place: Place
    resource: SessionResource


class _Started(NamedTuple):
    until: float
    row: _Row


class _Kept(NamedTuple):
    until: float
    page: SessionList


class Listing:
    """Pages of sessions; keeps each for a second and what was just started for three."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages: dict[tuple[int, str | None, Phase | None], _Kept] = {}
        self._started: dict[SessionId, _Started] = {}

    def note(self, resource: SessionResource, started: datetime | None = None) -> None:
        """Show a session that has just been started or reopened at once."""
        place = Place(started or resource.created_at, resource.id)
        until = time.monotonic() + RECENT_SECONDS
        self._started[resource.id] = _Started(until, _Row(place, resource))
        self._pages.clear()

    async def page(self, limit: int, cursor: str | None, phase: Phase | None) -> SessionList:
        """Return the sessions after a cursor; a page may hold fewer than `limit` of many.

        Raises:
            ProblemError: `invalid_request` for a cursor that this gateway never gave,
                `temporal_unavailable`.
        """
        now = time.monotonic()
        self._pages = {key: kept for key, kept in self._pages.items() if kept.until > now}
        key = (limit, cursor, phase)
        if key in self._pages:
            return self._pages[key].page
        after = None if cursor is None else parse_cursor(cursor)
        async with bounded(Code.TEMPORAL_UNAVAILABLE):
            page = await self._load(limit, after, phase)
        self._pages[key] = _Kept(now + CACHE_SECONDS, page)
        return page

    async def _load(self, limit: int, after: Place | None, phase: Phase | None) -> SessionList:
        runs = await self._newest(limit, after, phase)
        looked_at = runs[: limit + 1]
        lasting = await self._without_succeeded(looked_at)
        rows = [_Row(_place(run), await resource_of(run)) for run in lasting]
        if after is None and phase is None:
            rows = self._with_started(rows)
        page = rows[:limit]
        has_more = len(rows) > limit or len(runs) > limit
        places = [_place(run) for run in looked_at[-1:]] + [row.place for row in page[-1:]]
        return SessionList(
            data=tuple(row.resource for row in page),
            has_more=has_more,
            next_cursor=places[-1].cursor() if has_more else None,
        )

    async def _newest(
        self, limit: int, after: Place | None, phase: Phase | None
    ) -> list[WorkflowExecution]:
        """Return at least `limit` + 1 runs behind a place, newest first, if there are as many."""
        newest: list[WorkflowExecution] = []
        until = after.started if after is not None else datetime.now(UTC)
        for span in SPANS:
            query = _ALL + _phase_filter(phase)
            if after is not None:
                # Visibility may keep fewer digits of the time; the place below is exact.
                query += f" AND StartTime <= '{_stamp(until + timedelta(milliseconds=1))}'"
            if span is not None:
                query += f" AND StartTime > '{_stamp(until - span)}'"
            runs = [run for run in await self._select(query) if is_shown(run)]
            behind = [run for run in runs if after is None or _place(run) < after]
            newest = sorted(_last_runs(behind), key=_place, reverse=True)
            if len(newest) > limit:
                break
        return newest

    async def _without_succeeded(self, runs: list[WorkflowExecution]) -> list[WorkflowExecution]:
        """Drop closed runs of sessions that were reopened; those stand further up."""
        ended = [run.id for run in runs if not is_open(run)]
        if not ended:
            return runs
        quoted = ", ".join(f"'{session}'" for session in ended)
        every = await self._select(f"{_ALL} AND WorkflowId IN ({quoted})")
        last = {run.id: run.run_id for run in _last_runs(every)}
        return [run for run in runs if last.get(run.id, run.run_id) == run.run_id]

    async def _select(self, query: str) -> list[WorkflowExecution]:
        return [run async for run in self._connection.client.list_workflows(query)]

    def _with_started(self, rows: list[_Row]) -> list[_Row]:
        now = time.monotonic()
        self._started = {id_: kept for id_, kept in self._started.items() if kept.until > now}
        listed = {row.resource.id: row.resource.view.run_index for row in rows}
        missing = {
            session: kept.row
            for session, kept in self._started.items()
            if kept.row.resource.view.run_index > listed.get(session, -1)
        }
        rest = [row for row in rows if row.resource.id not in missing]
        return sorted([*missing.values(), *rest], key=lambda row: row.place, reverse=True)


def parse_cursor(cursor: str) -> Place:
    """Read a cursor back.

    Raises:
        ProblemError: `invalid_request`.
    """
    try:
        started, session = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        place = Place(datetime.fromisoformat(started).astimezone(UTC), str(session))
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise _wrong_cursor() from error
    if not FIRST_YEAR <= place.started.year <= LAST_YEAR:
        raise _wrong_cursor()
    return place


def _wrong_cursor() -> ProblemError:
    detail = "the cursor is not one that the list gave"
    return ProblemError(Code.INVALID_REQUEST, detail, errors=("query.cursor: is not valid",))


def _phase_filter(phase: Phase | None) -> str:
    if phase is None:
        return ""
    if phase is Phase.CLOSED:
        return " AND ExecutionStatus != 'Running'"
    return f" AND ExecutionStatus = 'Running' AND {PHASE_ATTRIBUTE} = '{phase.value}'"


def _stamp(moment: datetime) -> str:
    return moment.isoformat()


def _place(run: WorkflowExecution) -> Place:
    return Place(run.start_time, run.id)


def _last_runs(runs: Iterable[WorkflowExecution]) -> list[WorkflowExecution]:
    last: dict[str, WorkflowExecution] = {}
    for run in sorted(runs, key=_place):
        last[run.id] = run
    return list(last.values())
