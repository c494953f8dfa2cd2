"""The session: one Temporal workflow that takes prompts, works on them in turn, and waits.

It lives as long as the session, over many runs; handlers only enqueue, `run` works.
"""

from typing import Never

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import baseline, calls, counting, delivery, opening, turn
from workflows.calls import InterruptedCallError
from workflows.contract import cause, metrics, names
from workflows.contract.asking import DecideSignal
from workflows.contract.base import PromptId
from workflows.contract.failures import Failure
from workflows.contract.session import (
    ArchiveRun,
    CloseSignal,
    ConfigureSignal,
    InterruptSignal,
    Phase,
    PreviousRun,
    PromptSignal,
    PromptsWaiting,
    RevisePrompt,
    SessionEnd,
    SessionInput,
    StopReason,
    TurnEnd,
    WithdrawPrompt,
)
from workflows.policy import admission, renewal
from workflows.record import PHASE_KEY, SessionRecord

LEFT_OUT = "Not kept when the session was closed, since git cannot carry them: {}"


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

    @workflow.signal(name=names.DECIDE_SIGNAL)
    def decide(self, decision: DecideSignal) -> None:
        """Answer what the session asks."""
        self._record.decide(decision)

    @workflow.signal(name=names.CONFIGURE_SIGNAL)
    def configure(self, wanted: ConfigureSignal) -> None:
        """Change model or budget from the next model call on."""
        self._record.configure(wanted)

    @workflow.update(name=names.REVISE_UPDATE)
    def revise(self, request: RevisePrompt) -> PromptsWaiting:
        """Put another prompt into the place of a waiting one."""
        return PromptsWaiting(waiting=self._record.replace(request.prompt, request.replacement))

    @revise.validator
    def _validate_revise(self, request: RevisePrompt) -> None:
        self._require_waiting(request.prompt)
        if admission.is_known(request.replacement.id, self._record.state):
            message = f"prompt {request.replacement.id!r} was sent before; give it a new id"
            raise ApplicationError(message, type=names.NOT_WAITING, non_retryable=True)

    @workflow.update(name=names.WITHDRAW_UPDATE)
    def withdraw(self, request: WithdrawPrompt) -> PromptsWaiting:
        """Take back a waiting prompt."""
        return PromptsWaiting(waiting=self._record.replace(request.prompt, None))

    @withdraw.validator
    def _validate_withdraw(self, request: WithdrawPrompt) -> None:
        self._require_waiting(request.prompt)

    def _require_waiting(self, prompt: PromptId) -> None:
        if all(waiting.id != prompt for waiting in self._record.state.queue):
            message = f"prompt {prompt!r} does not wait: it is worked on, done, or unknown"
            raise ApplicationError(message, type=names.NOT_WAITING, non_retryable=True)

    @workflow.run
    async def run(self, _start: SessionInput) -> SessionEnd:
        """Work on prompts until the session is closed."""
        record = self._record
        if self._previous is not None:
            await self._archive(self._previous)
        else:
            counting.count(metrics.SESSIONS_STARTED)
        while not record.closing:
            if record.state.turn is None and record.state.queue:
                record.begin_turn()
            if record.state.turn is not None:
                cause.work_for(record.session, record.turn.prompt.id)
                await self._turn()
                cause.work_for(record.session)
            else:
                await self._wait()
        return await self._end()

    async def _turn(self) -> None:
        """Work on the running turn, deliver it when it finished, and leave it."""
        record = self._record
        workflow.logger.info("turn.working", extra={"turn": record.turn.number})
        try:
            end = await turn.work(record)
            if end is None:
                self._renew()
            if end.reason is StopReason.FINISHED:
                end = await delivery.deliver(record, end)
        except InterruptedCallError:
            end = record.interrupted_end()
        except ActivityError as error:
            workflow.logger.warning("turn.failed", extra={"failure": opening.failure_name(error)})
            failure = opening.failure_type(error) or ""
            end = record.end(StopReason.FAILED, opening.failure_text(error), failure)
        except opening.LostTooOftenError as error:
            end = record.end(StopReason.FAILED, str(error), Failure.SANDBOX_GONE)
        record.end_turn(end)
        _note(end, record)

    async def _wait(self) -> None:
        """Wait for a prompt, in a fresh run when this one's history is long."""
        record = self._record
        record.show(Phase.WAITING)
        long = renewal.due_when_idle(workflow.info().get_current_history_length())
        if long and not baseline.is_open(record):
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
        await baseline.abandon(record)
        if record.state.binding is not None:
            await self._keep_work()
        await opening.remove(record)
        await self._archive(PreviousRun(run_id=workflow.info().run_id, run_index=record.run_index))
        record.show(Phase.CLOSED)
        last = record.state.last
        counting.count(metrics.SESSIONS_ENDED, outcome=last.reason if last is not None else "none")
        return SessionEnd(
            session=record.session,
            options=record.options,
            run_index=record.run_index,
            state=record.state,
        )

    async def _keep_work(self) -> None:
        name = f"export-close-r{self._record.run_index}"
        try:
            work = await opening.export(self._record, name, salvage=True)
        except ActivityError as error:
            # Closing must not hang on a sandbox that is broken; the last checkpoint stands, and who
            # reopens the session is told.
            self._record.update(lost_work=True)
            workflow.logger.warning("export.failed", extra={"failure": opening.failure_name(error)})
        except opening.WorkLostError:
            workflow.logger.warning("work.lost")
        else:
            if work.left_out:
                # Whoever reopens the session works without these.
                self._record.note(LEFT_OUT.format(", ".join(work.left_out)))
                workflow.logger.warning("work.left_out", extra={"folders": len(work.left_out)})

    async def _archive(self, run: PreviousRun) -> None:
        await calls.archive_run(
            ArchiveRun(session=self._record.session, run_id=run.run_id, run_index=run.run_index)
        )


def _note(end: TurnEnd, record: SessionRecord) -> None:
    """Log and count how a turn ended."""
    given = record.state.verdict
    verdict = given.verdict if given is not None and end.reason is StopReason.FINISHED else "none"
    counting.count(metrics.TURNS, outcome=end.reason, verdict=verdict)
    workflow.logger.info("turn.ended", extra={"turn": end.turn, "outcome": end.reason.value})
