"""One watch per watched session, shared by all its clients.

A watch follows the session's history by a long poll and looks at the heartbeats of what runs. Its
clients pull from it; it never waits for one and keeps nothing for one.
"""

import asyncio
import random
from contextlib import suppress

import structlog
from temporalio.service import RPCError, RPCStatusCode

from gateway.feed.chunks import Chunks
from gateway.feed.live import OutputWindow, Picture
from gateway.feed.looking import Looker, LookingPace
from gateway.feed.runs import Run, Runs
from gateway.feed.timeline import Timeline
from gateway.problems import ProblemError
from gateway.sessions.connection import Connection
from workflows.contract.base import CommandId, SessionId
from workflows.contract.problems import Code

FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 2.0
"""Pauses after Temporal failed to answer grow from one to the other."""

READY_SECONDS = 10.0

YIELD_EVENTS = 100
"""So many events of a history are taken at once before anybody else may run."""

UNREACHABLE = "Temporal does not answer; what is new is shown when it is back"

log = structlog.get_logger()


class Watch:
    """A session as it is now; `version` grows with everything that its clients should look at."""

    def __init__(
        self,
        session: SessionId,
        connection: Connection,
        runs: Runs,
        chunks: Chunks,
        pace: LookingPace,
    ) -> None:
        self.session = session
        self.timeline = Timeline(session, runs)
        self.chunks = chunks
        self._connection = connection
        self._looker = Looker(connection, session, pace, self._notify)
        self.is_closed = False
        """The session's last event is known."""

        self.is_stopped = False
        """Nobody follows the session any more: whoever pulls should leave."""

        self.version = 0
        self._known_length = 0
        self._pause = FIRST_RETRY_SECONDS
        self._changed = asyncio.Event()
        self._known = asyncio.Event()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def outputs(self) -> dict[CommandId, OutputWindow]:
        """How far the running commands are."""
        return self._looker.outputs(self.timeline.newest)

    @property
    def picture(self) -> Picture:
        """What may be lost: text and trouble."""
        return self._looker.picture

    def window(self, command: CommandId) -> OutputWindow | None:
        """Return the newest bytes of a command, which may have ended just now."""
        return self._looker.window(command)

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
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._changed.wait()

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._look())
            while not self.is_closed:
                try:
                    await self._follow_on()
                except (RPCError, ProblemError):
                    self._looker.say(UNREACHABLE)
                    # Many watches must not come back all at once.
                    await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311
                    self._pause = min(2 * self._pause, LONGEST_RETRY_SECONDS)
            looking.cancel()
        self._ready.set()
        self._notify()

    async def _follow_on(self) -> None:
        """Follow runs until the session is closed, from where it was left."""
        client = self._connection.client
        run = self.timeline.newest
        if run is None:
            try:
                description = await client.get_workflow_handle(self.session).describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await self.timeline.remember()
                self.is_closed = True
                return
            run = self.timeline.begin(description.run_id)
            self._known_length = description.history_length
        while not self.is_closed:
            await self._follow_run(run)
            end = run.projection.end
            if end is None:
                detail = f"the history of run {run.run_id!r} ended before the run"
                raise ProblemError(Code.TEMPORAL_UNAVAILABLE, detail)
            if end.next_run_id is None:
                self.is_closed = True
            else:
                run = self.timeline.begin(end.next_run_id)

    async def _follow_run(self, run: Run) -> None:
        handle = self._connection.client.get_workflow_handle(self.session, run_id=run.run_id)
        async for event in handle.fetch_history_events(wait_new_event=True):
            self._reached()
            is_shown = run.take([event])
            self._looker.work_changed()
            if event.event_id % YIELD_EVENTS == 0:
                await asyncio.sleep(0)
            if self._known.is_set():
                if is_shown:
                    self._notify()
            elif event.event_id >= self._known_length:
                self._known.set()
                self._notify()

    def _reached(self) -> None:
        self._pause = FIRST_RETRY_SECONDS
        if self._looker.picture.trouble == UNREACHABLE:
            self._looker.say("")

    async def _look(self) -> None:
        await self._known.wait()
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._looker.look(lambda: self.timeline.newest))
            await self._looker.has_looked.wait()
            self._ready.set()
            await looking

    def _notify(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.is_stopped = True
            log.error("watch.failed", session=self.session, exc_info=task.exception())
        self._ready.set()
        self._notify()
