"""How a person steers a session that is open: decide, change model or budget, rearrange prompts.

Decisions and changes are signals, durable with no worker alive; prompts that wait are changed by
updates, whose answer only a worker can give. Every request may be repeated.
"""

from temporalio.client import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from gateway.problems import ProblemError
from gateway.sessions import prompts
from gateway.sessions.connection import TEMPORAL_SECONDS, Connection, bounded
from gateway.sessions.reaching import (
    asked_by,
    closed,
    described,
    described_open,
    raise_unless_not_found,
    tell,
)
from gateway.sessions.records import Records
from gateway.sessions.resources import resource_of, shown
from workflows.contract.api import (
    Configure,
    Decision,
    DecisionTaken,
    PromptBody,
    PromptList,
    SessionResource,
)
from workflows.contract.asking import Asked, AskedKind, DecideSignal
from workflows.contract.base import PromptId, SessionId
from workflows.contract.names import (
    CONFIGURE_SIGNAL,
    DECIDE_SIGNAL,
    NOT_WAITING,
    REVISE_UPDATE,
    WITHDRAW_UPDATE,
)
from workflows.contract.problems import Code
from workflows.contract.session import (
    ConfigureSignal,
    PromptsWaiting,
    RevisePrompt,
    WithdrawPrompt,
)


class Steering:
    """What can be changed about sessions while they run.

    All methods raise ProblemError `session_unknown`, and those that change something also
    `session_closed` and `outcome_unknown`.
    """

    def __init__(self, connection: Connection, records: Records) -> None:
        self._connection = connection
        self._records = records

    async def decide(self, session: SessionId, decision: Decision) -> DecisionTaken:
        """Answer the question that a session asks now; the very same answer again is harmless.

        Of two different answers at the same time the one that reaches the session first counts.

        Raises:
            ProblemError: `question_not_open`, `invalid_request`.
        """
        taken = DecisionTaken(question=decision.question, approved=decision.approved)
        async with bounded(Code.OUTCOME_UNKNOWN):
            asked = await asked_by(self._connection, session)
        if asked is None or asked.id != decision.question:
            if await self._records.has_decision(session, decision):
                return taken
            raise _not_open(session, decision, asked)
        if asked.kind is AskedKind.QUESTION and decision.approved and not decision.text.strip():
            errors = ("text: the model's question is answered with a text",)
            raise ProblemError(Code.INVALID_REQUEST, "the answer is empty", errors=errors)
        signal = DecideSignal(
            question=decision.question, approved=decision.approved, text=decision.text
        )
        async with bounded(Code.OUTCOME_UNKNOWN):
            if not await tell(self._connection, session, DECIDE_SIGNAL, signal):
                raise closed(session)
        # Only now: what is kept was sent.
        await self._records.keep_decision(session, decision)
        return taken

    async def configure(self, session: SessionId, change: Configure) -> SessionResource:
        """Change model or budget from the next model call on; returns the session just before.

        Raises:
            ProblemError: `invalid_request` when nothing is to be changed.
        """
        if not change.model_dump(exclude_none=True):
            errors = ("body: names neither model nor fallbacks nor budget",)
            raise ProblemError(Code.INVALID_REQUEST, "nothing is to be changed", errors=errors)
        signal = ConfigureSignal(
            model=change.model, fallbacks=change.fallbacks, budget=change.budget
        )
        async with bounded(Code.OUTCOME_UNKNOWN):
            run = await described_open(self._connection, session)
            if not await tell(self._connection, session, CONFIGURE_SIGNAL, signal):
                raise closed(session)
            return await resource_of(run)

    async def waiting(self, session: SessionId) -> PromptList:
        """List the prompts that wait; of a closed session none will be worked on."""
        async with bounded(Code.TEMPORAL_UNAVAILABLE):
            view = (await shown(await described(self._connection, session))).view
        return PromptList(data=view.queue, waiting=view.queued)

    async def revise(
        self, session: SessionId, prompt: PromptId, replacement: PromptBody
    ) -> PromptsWaiting:
        """Put another prompt, with an id of its own, into the place of one that waits.

        Raises:
            ProblemError: `prompt_not_waiting`, `prompt_conflict`, `prompt_too_large`,
                `invalid_request`.
        """
        if replacement.id == prompt:
            errors = ("body.id: a replacement has an id of its own",)
            raise ProblemError(Code.INVALID_REQUEST, "the ids are the same", errors=errors)
        signal = prompts.announce(replacement)
        await self._records.require_session(session)
        await self._records.keep_prompt(session, replacement)
        argument = RevisePrompt(prompt=prompt, replacement=signal)
        return await self._update(session, REVISE_UPDATE, argument, f"{prompt}-by-{replacement.id}")

    async def withdraw(self, session: SessionId, prompt: PromptId) -> PromptsWaiting:
        """Take back a prompt that waits.

        Raises:
            ProblemError: `prompt_not_waiting`.
        """
        argument = WithdrawPrompt(prompt=prompt)
        return await self._update(session, WITHDRAW_UPDATE, argument, f"{prompt}-withdrawn")

    async def _update(
        self, session: SessionId, update: str, argument: object, update_id: str
    ) -> PromptsWaiting:
        """Have a worker change the queue; the same id again gets the first answer.

        Raises:
            ProblemError: `prompt_not_waiting`, or `outcome_unknown` when no worker answers in time.
        """
        async with bounded(Code.OUTCOME_UNKNOWN):
            await described_open(self._connection, session)
            handle = self._connection.client.get_workflow_handle(session)
            try:
                waiting: PromptsWaiting = await handle.execute_update(
                    update, argument, id=update_id, result_type=PromptsWaiting
                )
            except WorkflowUpdateFailedError as error:
                raise _refused(error) from error
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                # Temporal's client turns the end of our patience into this.
                raise _no_worker(session) from error
            except RPCError as error:
                raise_unless_not_found(error)
                # A run that goes on in a new one aborts it.
                run = await described_open(self._connection, session)
                raise _no_worker(run.id) from error
        return waiting


def _not_open(session: SessionId, decision: Decision, asked: Asked | None) -> ProblemError:
    if asked is None:
        detail = f"session {session!r} asks nothing; {decision.question!r} is answered or moot"
    else:
        detail = (
            f"session {session!r} asks {asked.id!r} ({asked.kind.value}), not {decision.question!r}"
        )
    return ProblemError(Code.QUESTION_NOT_OPEN, detail)


def _refused(error: WorkflowUpdateFailedError) -> ProblemError | WorkflowUpdateFailedError:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == NOT_WAITING:
        return ProblemError(Code.PROMPT_NOT_WAITING, cause.message)
    return error


def _no_worker(session: str) -> ProblemError:
    detail = f"no worker took the change to session {session!r} within {TEMPORAL_SECONDS:.0f} s"
    return ProblemError(Code.OUTCOME_UNKNOWN, detail)
