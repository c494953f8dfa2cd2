"""The session: one Temporal workflow that takes prompts, works on them in turn, and waits.

It lives as long as the session, over many runs; handlers only enqueue, `run` works.
"""

from typing import Never

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError

from workflows import calls, delivery, opening, turn
from workflows.calls import InterruptedCallError
from workflows.contract import names
from workflows.contract.session import (
    ArchiveRun,
    CloseSignal,
    InterruptSignal,
    Phase,
    PreviousRun,
    PromptSignal,
    SessionEnd,
    SessionInput,
    StopReason,
    TurnEnd,
)
from workflows.policy import renewal
from workflows.record import PHASE_KEY, SessionRecord


@workflow.defn(name=names.SESSION_WORKFLOW)
class AgentSession:
    """A session from its first prompt until it is closed."""

    @workflow.init
    def __init__(self, start: SessionInput) -> None:
        """Restore the state before any signal can arrive."""
        self._record = SessionRecord(start)
        self._previous = start.previous

    @workflow.signal(name=names.PROMPT_SIGNAL)
    def prompt(self, prompt: PromptSignal) -> None:
        """Queue a prompt."""
        self._record.receive(prompt)

    @workflow.signal(name=names.INTERRUPT_SIGNAL)
    def interrupt(self, _request: InterruptSignal) -> None:
        """Stop the running turn."""
        self._record.interrupt()

    @workflow.signal(name=names.CLOSE_SIGNAL)
    def close(self, _request: CloseSignal) -> None:
        """Stop the running turn and end the session."""
        self._record.closing = True
        self._record.interrupt()

    @workflow.run
    async def run(self, _start: SessionInput) -> SessionEnd:
        """Work on prompts until the session is closed."""
        record = self._record
        if self._previous is not None:
            await self._archive(self._previous)
        while not record.closing:
            if record.state.turn is None and record.state.queue:
                record.begin_turn()
            if record.state.turn is not None:
                await self._turn()
            else:
                await self._wait()
        return await self._end()

    async def _turn(self) -> None:
        """Work on the running turn, deliver it when it finished, and leave it."""
        record = self._record
        try:
            end = await turn.work(record)
            if end is None:
                self._renew()
            if end.reason is StopReason.FINISHED:
                await delivery.deliver(record, end)
        except InterruptedCallError:
            end = turn.interrupted(record)
        except ActivityError as error:
            workflow.logger.warning("turn.failed", extra={"failure": str(error.cause)[:500]})
            end = TurnEnd(
                turn=record.turn.number,
                reason=StopReason.FAILED,
                summary=turn.failure_text(error)[:300],
            )
        record.end_turn(end)

    async def _wait(self) -> None:
        """Wait for a prompt, in a fresh run when this one's history is long."""
        record = self._record
        record.show(Phase.WAITING)
        if renewal.due_when_idle(workflow.info().get_current_history_length()):
            self._renew()
        await workflow.wait_condition(lambda: bool(record.state.queue) or record.closing)

    def _renew(self) -> Never:
        record = self._record
        workflow.continue_as_new(
            SessionInput(
                session=record.session,
                options=record.options,
                run_index=record.run_index + 1,
                state=record.state,
                previous=PreviousRun(run_id=workflow.info().run_id, run_index=record.run_index),
            ),
            # Upserted values do not pass to the next run by themselves.
            memo=record.memo(),
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(PHASE_KEY, record.phase.value)]
            ),
        )

    async def _end(self) -> SessionEnd:
        """Keep the work, remove the sandbox, leave what a reopening needs."""
        record = self._record
        record.show(activity="keeping the work and removing the sandbox")
        if record.state.binding is not None:
            await self._keep_work()
        await opening.remove(record)
        await self._archive(PreviousRun(run_id=workflow.info().run_id, run_index=record.run_index))
        record.show(Phase.CLOSED)
        return SessionEnd(
            session=record.session,
            options=record.options,
            run_index=record.run_index,
            state=record.state,
        )

    async def _keep_work(self) -> None:
        try:
            await delivery.export(self._record, f"export-close-r{self._record.run_index}")
        except ActivityError as error:
            # Closing must not hang on a sandbox that is broken; the last checkpoint stands.
            workflow.logger.warning("export.failed", extra={"failure": str(error.cause)[:500]})

    async def _archive(self, run: PreviousRun) -> None:
        await calls.archive_run(
            ArchiveRun(session=self._record.session, run_id=run.run_id, run_index=run.run_index)
        )
