"""A session as the interface shows it, made from what Temporal shows of its workflow."""

from datetime import datetime
from typing import NamedTuple

from temporalio.client import (
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)

from gateway.sessions.prompts import one_line
from workflows.contract.api import SessionResource
from workflows.contract.base import SessionId
from workflows.contract.explanations.table import explain, known
from workflows.contract.names import OPTIONS_MEMO, VIEW_MEMO
from workflows.contract.session import (
    QUEUED_EXCERPT_CHARACTERS,
    VIEWED_QUEUE,
    Phase,
    PromptSignal,
    QueuedPrompt,
    SessionInput,
    SessionOptions,
    SessionView,
    ViewedPullRequest,
)

CREATED_MEMO = "created"
"""Memo key of the time the session was first started; later runs carry it on."""


DEFECT_ATTEMPTS = 3
"""A worker that was killed costs one attempt at a decision; so many mean that none can be made."""


class Shown(NamedTuple):
    """What the memo of a session's workflow holds for those who ask without a worker."""

    options: SessionOptions
    view: SessionView
    created: datetime

    def memo(self) -> dict[str, object]:
        """Return it as a workflow's memo."""
        return {
            OPTIONS_MEMO: self.options,
            VIEW_MEMO: self.view,
            CREATED_MEMO: self.created.isoformat(),
        }

    def resource(self, session: SessionId, ended: datetime | None = None) -> SessionResource:
        """Return it as the interface shows it."""
        return SessionResource(
            id=session,
            url=f"/api/v1/sessions/{session}",
            title=self.options.title,
            repository=self.options.repository,
            branch=self.options.branch,
            model=self.options.model,
            fallbacks=self.options.fallbacks,
            budget=self.options.budget,
            approvals=self.options.approvals,
            created_at=self.created,
            ended_at=ended,
            view=self.view,
            cure=cure_of(self.view),
        )


def cure_of(view: SessionView) -> str:
    """Say what to do about the last turn, as the table has it; nothing while another one runs."""
    if view.last is None or view.phase not in (Phase.WAITING, Phase.CLOSED):
        return ""
    code = known(view.last.failure) or known(view.last.reason)
    return "" if code is None else explain(code).cure


def first_view(start: SessionInput, first: PromptSignal) -> SessionView:
    """Return what a session shows until its workflow first says something itself."""
    state, proposal = start.state, start.state.pull_request
    waiting = (*state.queue, first)
    return SessionView(
        phase=Phase.PREPARING,
        run_index=start.run_index,
        turn=state.turns,
        step=0,
        queued=len(waiting),
        usage=state.usage,
        head=state.head.manifest,
        pull_request=None
        if proposal is None
        else ViewedPullRequest(
            revision=proposal.revision,
            commit=proposal.commit,
            passed=proposal.passed,
            draft=proposal.draft,
        ),
        last=state.last,
        queue=tuple(queued(prompt) for prompt in waiting[:VIEWED_QUEUE]),
        model=start.options.model,
        verdict=state.verdict,
    )


def queued(prompt: PromptSignal) -> QueuedPrompt:
    """Return a waiting prompt as the view names it."""
    excerpt = prompt.excerpt[:QUEUED_EXCERPT_CHARACTERS]
    return QueuedPrompt(id=prompt.id, mode=prompt.mode, excerpt=excerpt)


def is_shown(execution: WorkflowExecution) -> bool:
    """Tell whether a workflow was started by a gateway, and so can be shown."""
    return {OPTIONS_MEMO, VIEW_MEMO} <= set(execution.raw_info.memo.fields)


def is_open(execution: WorkflowExecution) -> bool:
    """Tell whether a run still takes signals."""
    return execution.status is WorkflowExecutionStatus.RUNNING


async def shown(execution: WorkflowExecution) -> Shown:
    """Decode the memo of a workflow that a gateway started; a run that ended shows as closed."""
    view = await execution.memo_value(VIEW_MEMO, type_hint=SessionView)
    if not is_open(execution):
        view = view.model_copy(update={"phase": Phase.CLOSED})
    created = await execution.memo_value(CREATED_MEMO, "", type_hint=str)
    return Shown(
        options=await execution.memo_value(OPTIONS_MEMO, type_hint=SessionOptions),
        view=view,
        created=datetime.fromisoformat(created) if created else execution.start_time,
    )


async def resource_of(execution: WorkflowExecution) -> SessionResource:
    """Show one run of a session as the session, with its trouble if the run was described."""
    found = (await shown(execution)).resource(SessionId(execution.id), execution.close_time)
    if not isinstance(execution, WorkflowExecutionDescription):
        return found
    return found.model_copy(update={"trouble": trouble_of(execution)})


def trouble_of(run: WorkflowExecutionDescription) -> str:
    """Say why what runs now is tried again; empty when it is not."""
    for pending in run.raw_description.pending_activities:
        if pending.attempt > 1 and pending.HasField("last_failure"):
            name, said = pending.activity_type.name, one_line(pending.last_failure.message, 250)
            again = f"{name} is tried again (attempt {pending.attempt})"
            code = known(pending.last_failure.application_failure_info.type)
            if code is None:
                return f"{again}: {said}"
            return f"{again} [{code}]: {said}; {explain(code).cure}"
    attempt = run.raw_description.pending_workflow_task.attempt
    if attempt < DEFECT_ATTEMPTS:
        return ""
    return f"no session worker can go on with it (attempt {attempt}): their log says why"
