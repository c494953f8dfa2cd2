"""Looks at the heartbeats of a session's running activities for as long as there are any."""

import asyncio
from collections.abc import Callable

from temporalio.client import WorkflowExecutionDescription
from temporalio.service import RPCError

from gateway.feed import live
from gateway.feed.live import OutputWindow, Picture
from gateway.feed.runs import Run
from gateway.sessions.connection import Connection
from workflows.contract.base import CommandId, SessionId

LOOK_SECONDS = 3.0
"""One look takes at most so long."""

RETRY_SECONDS = 0.2

TROUBLE_SECONDS = 0.5
"""Activities that show nothing live are looked at so often, for their trouble."""

QUIET_SECONDS = 2.0
"""Activities that showed nothing new for so long are looked at half as often."""


class LookingPace:
    """How often a gateway looks, by how many sessions need it at once.

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


class Looker:
    """What a session's heartbeats show; `changed` is called whenever that is something else."""

    def __init__(
        self,
        connection: Connection,
        session: SessionId,
        pace: LookingPace,
        changed: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._session = session
        self._pace = pace
        self._changed = changed
        self._windows: dict[CommandId, OutputWindow] = {}
        self._worked = asyncio.Event()
        self.picture = live.NOTHING
        self.has_looked = asyncio.Event()
        """Set once what was running at first has been looked at."""

    def outputs(self, run: Run | None) -> dict[CommandId, OutputWindow]:
        """Return how far the running commands are.

        Those alone that the events say are running: heartbeats are seen a moment before the event
        of a command's start, and remembered for a moment after that of its end.
        """
        running = run.projection.commands if run is not None else frozenset()
        return {name: window for name, window in self._windows.items() if name in running}

    def window(self, command: CommandId) -> OutputWindow | None:
        """Return the newest bytes of a command, which may have ended."""
        return self._windows.get(command)

    def say(self, trouble: str) -> None:
        """Show trouble that no heartbeat tells of; empty when it is over."""
        if self.picture.trouble != trouble:
            self.picture = self.picture._replace(trouble=trouble)
            self._changed()

    def work_changed(self) -> None:
        """Take note that what runs may be something else now."""
        self._worked.set()

    async def look(self, newest: Callable[[], Run | None]) -> None:
        """Look for as long as this is not cancelled."""
        while True:
            run = newest()
            if run is not None and run.projection.shows_live:
                await self._look_closely(newest)
            elif run is not None and run.projection.pending:
                await self._look_once(run)
                await asyncio.sleep(TROUBLE_SECONDS)
            else:
                self._show(live.NOTHING)
                self.has_looked.set()
                self._worked.clear()
                await self._worked.wait()

    async def _look_closely(self, newest: Callable[[], Run | None]) -> None:
        loop = asyncio.get_running_loop()
        changed_at = loop.time()
        self._pace.active += 1
        try:
            while (run := newest()) is not None and run.projection.shows_live:
                started = loop.time()
                if await self._look_once(run):
                    changed_at = started
                pause = self._pace.seconds * (2 if started - changed_at > QUIET_SECONDS else 1)
                await asyncio.sleep(max(0.0, started + pause - loop.time()))
        finally:
            self._pace.active -= 1

    async def _look_once(self, run: Run) -> bool:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                description = await self._describe(run)
        except (RPCError, TimeoutError):
            # Whoever follows the history says so if it lasts.
            await asyncio.sleep(RETRY_SECONDS)
            return False
        finally:
            self.has_looked.set()
        return self._show(live.picture(description))

    async def _describe(self, run: Run) -> WorkflowExecutionDescription:
        client = self._connection.client
        return await client.get_workflow_handle(self._session, run_id=run.run_id).describe()

    def _show(self, seen: Picture) -> bool:
        # What ended is forgotten: its length is in the history, its bytes are in the store.
        self._windows = {
            command: live.later(self._windows.get(command), window)
            for command, window in seen.outputs.items()
        }
        if seen == self.picture:
            return False
        self.picture = seen
        self._changed()
        return True
