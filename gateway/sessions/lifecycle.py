"""What a person can do with a session: start, prompt, interrupt, close, reopen, look.

A prompt is in the store before Temporal hears of it, and Temporal has it before it is accepted;
the workflow drops ids it has seen, so every request may be repeated.
"""

from collections.abc import Set
from datetime import UTC, datetime
from typing import NamedTuple

from temporalio.client import (
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from gateway.problems import ProblemError
from gateway.sessions import prompts
from gateway.sessions.connection import Connection, bounded
from gateway.sessions.listing import Listing
from gateway.sessions.reaching import (
    closed,
    described,
    described_open,
    raise_unless_not_found,
    tell,
)
from gateway.sessions.records import Records
from gateway.sessions.resources import is_open, resource_of, shown
from gateway.sessions.room import Rooms
from gateway.sessions.starting import start_run
from workflows.contract.api import PromptAccepted, PromptBody, SessionResource
from workflows.contract.base import SessionId
from workflows.contract.names import (
    CLOSE_SIGNAL,
    INTERRUPT_SIGNAL,
    PROMPT_SIGNAL,
)
from workflows.contract.problems import Code
from workflows.contract.session import (
    CloseSignal,
    InterruptSignal,
    PreviousRun,
    SessionEnd,
    SessionInput,
    SessionOptions,
)


class Accepted(NamedTuple):
    """A session that took a prompt."""

    resource: SessionResource
    repeated: bool
    """This very request had been accepted before."""


class Sessions:
    """The sessions of one Temporal namespace; any number of gateways may serve them."""

    def __init__(self, connection: Connection, records: Records, listing: Listing) -> None:
        self._connection = connection
        self._records = records
        self._listing = listing
        self._rooms = Rooms(connection)

    async def create(
        self, prompt: PromptBody, options: SessionOptions, *, defaulted: Set[str]
    ) -> Accepted:
        """Start the session that follows from the prompt's id.

        Args:
            prompt: the first prompt.
            options: what is asked for.
            defaulted: fields of the options that the request left to this installation.

        Raises:
            ProblemError: `prompt_conflict`, `prompt_too_large`, `outcome_unknown`.
        """
        signal = prompts.announce(prompt)
        client = self._connection.client
        session = prompts.session_of(prompt.id)
        options = await self._records.keep_options(session, options, defaulted=defaulted)
        is_new = await self._records.keep_prompt(session, prompt)
        start = SessionInput(session=session, options=options)
        async with bounded(Code.OUTCOME_UNKNOWN):
            if not is_new and (standing := await self._connection.describe(session)):
                return Accepted(await resource_of(standing), repeated=True)
            try:
                resource = await start_run(client, start, signal, datetime.now(UTC))
            except WorkflowAlreadyStartedError:
                # Another gateway was faster, and the session is closed by now.
                return Accepted(await self._resource(session), repeated=True)
        self._listing.note(resource)
        return Accepted(resource, repeated=False)

    async def show(self, session: SessionId) -> SessionResource:
        """Return a session as it is.

        Raises:
            ProblemError: `session_unknown`, `temporal_unavailable`.
        """
        async with bounded(Code.TEMPORAL_UNAVAILABLE):
            return await self._resource(session)

    async def prompt(self, session: SessionId, prompt: PromptBody) -> PromptAccepted:
        """Give an open session its next prompt.

        Raises:
            ProblemError: `session_unknown`, `session_closed`, `prompt_conflict`,
                `prompt_too_large`, `queue_full`, `outcome_unknown`, `temporal_unavailable`.
        """
        signal = prompts.announce(prompt)
        handle = self._connection.client.get_workflow_handle(session)
        await self._records.require_session(session)
        was_sent = await self._records.has_prompt(session, prompt)
        async with self._rooms.place(session, is_repeated=was_sent):
            is_new = await self._records.keep_prompt(session, prompt)
            accepted = PromptAccepted(id=prompt.id, session=session, repeated=not is_new)
            async with bounded(Code.OUTCOME_UNKNOWN):
                try:
                    await handle.signal(PROMPT_SIGNAL, signal)
                except RPCError as error:
                    raise_unless_not_found(error)
                    run = await described(self._connection, session)
                    if is_new or not _has_seen(await self._end(run), prompt):
                        raise closed(session) from error
        return accepted

    async def interrupt(self, session: SessionId, reason: str) -> SessionResource:
        """Stop what runs; returns the session as it was just before.

        Raises:
            ProblemError: `session_unknown`, `session_closed`, `outcome_unknown`.
        """
        async with bounded(Code.OUTCOME_UNKNOWN):
            run = await described_open(self._connection, session)
            signal = InterruptSignal(reason=prompts.one_line(reason, 200))
            if not await tell(self._connection, session, INTERRUPT_SIGNAL, signal):
                raise closed(session)
            return await resource_of(run)

    async def close(self, session: SessionId, reason: str) -> SessionResource:
        """End the session and keep its work; returns it as it was just before.

        Closing a closed session changes nothing.

        Raises:
            ProblemError: `session_unknown`, `outcome_unknown`.
        """
        async with bounded(Code.OUTCOME_UNKNOWN):
            run = await described(self._connection, session)
            if is_open(run):
                signal = CloseSignal(reason=prompts.one_line(reason, 200))
                await tell(self._connection, session, CLOSE_SIGNAL, signal)
            return await resource_of(run)

    async def reopen(self, session: SessionId, prompt: PromptBody) -> Accepted:
        """Go on with a closed session, from what it left.

        Raises:
            ProblemError: `session_unknown`, `session_open`, `session_unrecoverable`,
                `prompt_conflict`, `prompt_too_large`, `outcome_unknown`.
        """
        signal = prompts.announce(prompt)
        client = self._connection.client
        was_sent = await self._records.has_prompt(session, prompt)
        async with bounded(Code.OUTCOME_UNKNOWN):
            run = await described(self._connection, session)
            if is_open(run):
                # A repeated request finds the session that it opened itself.
                if not was_sent or not await tell(self._connection, session, PROMPT_SIGNAL, signal):
                    detail = f"session {session!r} takes prompts"
                    raise ProblemError(Code.SESSION_OPEN, detail)
                return Accepted(await resource_of(run), repeated=True)
            end = await self._end(run)
            if was_sent and _has_seen(end, prompt):
                return Accepted(await resource_of(run), repeated=True)
            created = (await shown(run)).created
        if end is None:
            detail = f"session {session!r} ended as {_status(run)}, not by being closed"
            raise ProblemError(Code.SESSION_UNRECOVERABLE, detail)
        await self._records.keep_prompt(session, prompt)
        start = SessionInput(
            session=session,
            options=end.options,
            run_index=end.run_index + 1,
            state=end.state,
            previous=PreviousRun(run_id=run.run_id, run_index=end.run_index),
        )
        async with bounded(Code.OUTCOME_UNKNOWN):
            resource = await start_run(client, start, signal, created)
        self._listing.note(resource, datetime.now(UTC))
        return Accepted(resource, repeated=False)

    async def _resource(self, session: SessionId) -> SessionResource:
        return await resource_of(await described(self._connection, session))

    async def _end(self, run: WorkflowExecutionDescription) -> SessionEnd | None:
        """Return what a closed run left; none when it failed or was terminated."""
        if run.status is not WorkflowExecutionStatus.COMPLETED:
            return None
        handle = self._connection.client.get_workflow_handle(
            run.id, run_id=run.run_id, result_type=SessionEnd
        )
        try:
            end: SessionEnd = await handle.result(follow_runs=False)
        except WorkflowFailureError:
            return None
        return end


def _has_seen(end: SessionEnd | None, prompt: PromptBody) -> bool:
    return end is not None and prompts.digest_of(prompt.id) in end.state.seen


def _status(run: WorkflowExecutionDescription) -> str:
    return run.status.name.lower() if run.status is not None else "unknown"
