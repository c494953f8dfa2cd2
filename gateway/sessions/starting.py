"""How a run of a session begins: signal-with-start, so that no session lacks its first prompt."""

from datetime import datetime

from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from gateway.sessions.resources import Shown, first_view
from workflows.contract.api import SessionResource
from workflows.contract.names import (
    PHASE_ATTRIBUTE,
    PROMPT_SIGNAL,
    SESSION_WORKFLOW,
    SESSIONS_QUEUE,
)
from workflows.contract.session import Phase, PromptSignal, SessionInput

_PHASE = SearchAttributeKey.for_keyword(PHASE_ATTRIBUTE)


async def start_run(
    client: Client, start: SessionInput, signal: PromptSignal, created: datetime
) -> SessionResource:
    """Start a run with its first signal; a first run only if the session never was."""
    is_first = start.previous is None
    reuse = WorkflowIDReusePolicy
    display = Shown(start.options, first_view(start, signal), created)
    await client.start_workflow(
        SESSION_WORKFLOW,
        start,
        id=start.session,
        task_queue=SESSIONS_QUEUE,
        start_signal=PROMPT_SIGNAL,
        start_signal_args=[signal],
        id_reuse_policy=reuse.REJECT_DUPLICATE if is_first else reuse.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        memo=display.memo(),
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(_PHASE, Phase.PREPARING.value)]
        ),
    )
    return display.resource(start.session)
