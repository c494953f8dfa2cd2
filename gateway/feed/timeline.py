"""A session's events over all its runs, in either direction from any place."""

from gateway.feed.cursors import parse
from gateway.feed.runs import Line, Run, Runs, first_cursor
from gateway.problems import ProblemError
from workflows.contract.base import SessionId
from workflows.contract.problems import Code


class Timeline:
    """The newest run, which its owner lets grow, and those before it, read when asked for."""

    def __init__(self, session: SessionId, runs: Runs) -> None:
        self.session = session
        self._runs = runs
        self.newest: Run | None = None
        """None as long as nothing is known, and for a session that only the store remembers."""

        self._archived_index = -1

    @property
    def newest_index(self) -> int:
        """The index of the newest run; -1 when nothing is known of the session."""
        return self.newest.index if self.newest is not None else self._archived_index

    def begin(self, run_id: str) -> Run:
        """Go on with a run that was not known; it stands behind the one that was newest."""
        before = self.newest
        self.newest = run = Run(run_id)
        if before is not None:
            self._runs.keep(self.session, before)
            # Until its first event has come.
            run.projection.index = before.index + 1
        return run

    async def remember(self) -> None:
        """Take what the store has of a session that Temporal has forgotten.

        Raises:
            ProblemError: `store_unavailable`.
        """
        if self.newest is None:
            self._archived_index = await self._runs.newest_archived(self.session)

    async def after(self, cursor: str | None, limit: int) -> list[Line]:
        """Return the next events behind a cursor; none when there are no more.

        They are of one run, so fewer than `limit` does not mean that these were the last.

        Raises:
            ProblemError: `temporal_unavailable`, `store_unavailable`.
        """
        index = 0 if cursor is None else parse(cursor).run
        cursor = cursor or first_cursor(0)
        while index <= self.newest_index:
            run = await self._run(index)
            if run is not None and (found := run.after(cursor, limit)):
                return found
            index += 1
        return []

    async def before(self, cursor: str | None, limit: int) -> list[Line]:
        """Return the last events before a cursor, or the newest, in their order.

        Raises:
            ProblemError: `temporal_unavailable`, `store_unavailable`.
        """
        newest = self.newest_index
        index = newest if cursor is None else min(parse(cursor).run, newest)
        cursor = cursor or first_cursor(newest + 1)
        found: list[Line] = []
        while index >= 0 and len(found) < limit:
            run = await self._run(index)
            if run is not None:
                found = [*run.before(cursor, limit - len(found)), *found]
            index -= 1
        return found

    async def _run(self, index: int) -> Run | None:
        newest = self.newest
        if newest is None:
            return await self._runs.get(self.session, index, None)
        if index == newest.index:
            return newest
        run = await self._runs.get(self.session, index, None)
        if run is not None and run.is_whole:
            return run
        # Only the run after it knows its id in Temporal.
        following = await self._run(index + 1)
        if following is None:
            return run
        if following.projection.last_event == 0:
            detail = f"the newest run of session {self.session!r} has only just begun"
            raise ProblemError(Code.TEMPORAL_UNAVAILABLE, detail)
        return await self._runs.get(self.session, index, following.projection.previous)
