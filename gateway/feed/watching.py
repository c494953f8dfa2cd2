"""One watch per watched session, shared by all its clients.

A watch follows the session's history by a long poll and, while activities run, looks at their
heartbeats. Its clients pull from it; it never waits for one and keeps nothing for one.
"""

import asyncio

import structlog
from temporalio.service import RPCError, RPCStatusCode

from gateway.feed import live, results
from gateway.feed.chunks import Chunks
from gateway.feed.live import OutputWindow, Picture
from gateway.feed.runs import Line, Run, Runs, first_cursor
from gateway.problems import Code, ProblemError
from gateway.sessions.connection import Connection
from workflows.contract.base import CommandId, SessionId

RETRY_SECONDS = 0.2
"""Pause after Temporal failed to answer."""

TROUBLE_SECONDS = 0.5
"""Other activities than those that show something live are looked at so often."""

QUIET_SECONDS = 2.0
"""Activities that showed nothing new for so long are looked at half as often."""

READY_SECONDS = 10.0
LOOK_SECONDS = 3.0

UNREACHABLE = "Temporal does not answer; what is new is shown when it is back"

log = structlog.get_logger()


class Pace:
    """How often heartbeats are looked at, by how many sessions need it at once in this gateway.

    Each look is a request that takes the session's lock in Temporal (about 1,000 a second in all,
    measured), so many sessions are looked at less often each.
    """

    def __init__(self) -> None:
        self.active = 0

    @property
    def seconds(self) -> float:
        """The pause between two looks."""
        if self.active <= 2:  # noqa: PLR2004  # the table itself
            return 0.04
        return 0.1 if self.active <= 8 else 0.25  # noqa: PLR2004  # likewise


class Watch:
    """A session as it is now; `version` grows with everything that its clients should look at."""

    def __init__(
        self, session: SessionId, connection: Connection, runs: Runs, chunks: Chunks, pace: Pace
    ) -> None:
        self.session = session
        self.chunks = chunks
        self._connection = connection
        self._runs = runs
        self._pace = pace
        self.run: Run | None = None
        """The newest run; none for a session that only the store remembers."""

        self.outputs: dict[CommandId, OutputWindow] = {}
        self.picture = live.NOTHING
        self.is_closed = False
        self.is_stopped = False
        self.failure: BaseException | None = None
        self.version = 0
        self._known_length = 0
        self._archived_index = -1
        self._changed = asyncio.Event()
        self._worked = asyncio.Event()
        self._known = asyncio.Event()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow; `stop` ends it."""
        self._task = asyncio.get_running_loop().create_task(self._follow())
        self._task.add_done_callback(self._on_done)

    def stop(self) -> None:
        """Follow no more, and tell whoever still pulls."""
        self.is_stopped = True
        if self._task is not None:
            self._task.cancel()
        self._notify()

    async def ready(self) -> None:
        """Return when everything that had happened before is known.

        Raises:
            ProblemError: `temporal_unavailable`, when that takes too long.
        """
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()
        except TimeoutError as error:
            detail = f"Temporal did not tell of session {self.session!r} in {READY_SECONDS:.0f} s"
            raise ProblemError(Code.TEMPORAL_UNAVAILABLE, detail) from error

    async def newer_than(self, version: int, timeout_seconds: float) -> None:
        """Return when there is more to look at than at this version, or the time is over."""
        if self.version != version:
            return
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def after(self, cursor: str | None, limit: int) -> list[Line]:
        """Return the next events behind a cursor, over all runs; none when there are no more.

        Raises:
            ProblemError: `temporal_unavailable`.
        """
        index = 0 if cursor is None else int(cursor[:6])
        cursor = cursor or first_cursor(0)
        newest = self.newest_index()
        while index <= newest:
            run = await self._run_of(index)
            if run is not None and (found := run.after(cursor, limit)):
                return found
            index += 1
        return []

    async def before(self, cursor: str | None, limit: int) -> list[Line]:
        """Return the last events before a cursor, or the newest, in their order.

        Raises:
            ProblemError: `temporal_unavailable`.
        """
        newest = self.newest_index()
        index = newest if cursor is None else min(int(cursor[:6]), newest)
        cursor = cursor or first_cursor(newest + 1)
        found: list[Line] = []
        while index >= 0 and len(found) < limit:
            run = await self._run_of(index)
            if run is not None:
                found = [*run.before(cursor, limit - len(found)), *found]
            index -= 1
        return found

    def newest_index(self) -> int:
        """Return the index of the newest run; -1 when nothing is known of the session."""
        return self.run.index if self.run is not None else self._archived_index

    async def _run_of(self, index: int) -> Run | None:
        if self.run is not None and index == self.run.index:
            return self.run
        successor = None
        if self.run is not None:
            # Only the run right before one knows it; the archives have all but the newest of them.
            successor = self.run if index == self.run.index - 1 else None
        try:
            run = await self._runs.get(self.session, index, successor)
            if run is None and self.run is not None and successor is None:
                run = await self._runs.get(self.session, index, await self._run_of(index + 1))
        except RPCError as error:
            detail = f"Temporal answered {error.status.name}"
            raise ProblemError(Code.TEMPORAL_UNAVAILABLE, detail) from error
        return run

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._look())
            while not self.is_closed:
                try:
                    await self._follow_newest()
                except (RPCError, ProblemError) as error:
                    if _is_unknown(error):
                        await self._only_archived()
                        break
                    self._say_trouble(UNREACHABLE)
                await asyncio.sleep(RETRY_SECONDS)
            looking.cancel()
        self._ready.set()
        self._notify()

    async def _follow_newest(self) -> None:
        """Follow runs until the session is closed, from where it was left."""
        client = self._connection.client
        if self.run is None:
            description = await client.get_workflow_handle(self.session).describe()
            self.run = Run(description.run_id)
            self._known_length = description.history_length
        while not self.is_closed:
            run = self.run
            handle = client.get_workflow_handle(self.session, run_id=run.run_id)
            async for event in handle.fetch_history_events(wait_new_event=True):
                if event.event_id != run.projection.last_event + 1:
                    continue
                run.take([event])
                self._worked.set()
                if event.event_id >= self._known_length:
                    self._known_length = 0
                    self._known.set()
                    self._notify()
            if not run.is_whole:
                return
            self._leave(run)

    def _leave(self, run: Run) -> None:
        """Go on to the run after one that is over, or close."""
        self._runs.keep(self.session, run)
        end = run.projection.end
        if end is None or end.next_run_id is None:
            self.is_closed = True
            return
        following = Run(end.next_run_id)
        # Until its first event has come it stands behind the one before.
        following.projection.index = run.index + 1
        self.run = following

    async def _only_archived(self) -> None:
        index = await self._runs.newest_archived(self.session)
        self._archived_index = -1 if index is None else index
        self.is_closed = True

    async def _look(self) -> None:
        """Look at the heartbeats while activities run."""
        await self._known.wait()
        while True:
            if self._is_live():
                await self._look_closely()
            elif self._pending():
                await self._look_once()
                await asyncio.sleep(TROUBLE_SECONDS)
            else:
                self._show(live.NOTHING)
                self._ready.set()
                self._worked.clear()
                await self._worked.wait()

    async def _look_closely(self) -> None:
        loop = asyncio.get_running_loop()
        changed_at = loop.time()
        self._pace.active += 1
        try:
            while self._is_live():
                started = loop.time()
                if await self._look_once():
                    changed_at = started
                pause = self._pace.seconds * (2 if started - changed_at > QUIET_SECONDS else 1)
                await asyncio.sleep(max(0.0, started + pause - loop.time()))
        finally:
            self._pace.active -= 1

    async def _look_once(self) -> bool:
        assert self.run is not None  # noqa: S101  # only a known run has activities
        handle = self._connection.client.get_workflow_handle(self.session, run_id=self.run.run_id)
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                description = await handle.describe()
        except (RPCError, TimeoutError):
            # The long poll says so if it lasts.
            await asyncio.sleep(RETRY_SECONDS)
            return False
        finally:
            self._ready.set()
        return self._show(live.picture(description))

    def _show(self, seen: Picture) -> bool:
        for command, window in seen.outputs.items():
            self.outputs[command] = live.later(self.outputs.get(command), window)
        for command in [each for each in self.outputs if each not in seen.outputs]:
            # Its end is in the history now or soon; what it was is in the store.
            del self.outputs[command]
        is_new = seen != self.picture
        self.picture = seen
        if is_new:
            self._notify()
        return is_new

    def _say_trouble(self, trouble: str) -> None:
        if self.picture.trouble != trouble:
            self.picture = self.picture._replace(trouble=trouble)
            self._notify()

    def _pending(self) -> bool:
        return self.run is not None and bool(self.run.projection.pending)

    def _is_live(self) -> bool:
        return self.run is not None and any(
            name in results.COMMAND_ACTIVITIES or name == results.MODEL_ACTIVITY
            for name in self.run.projection.pending.values()
        )

    def _notify(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            return
        self.failure = task.exception()
        if self.failure is not None:
            log.error("watch.failed", session=self.session, exc_info=self.failure)
        self._ready.set()
        self._notify()


def _is_unknown(error: RPCError | ProblemError) -> bool:
    return isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND
