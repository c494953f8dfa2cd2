"""Names under which processes that do not import each other meet in Temporal."""

SESSION_WORKFLOW = "AgentSession"

PROMPT_SIGNAL = "prompt"
INTERRUPT_SIGNAL = "interrupt"
CLOSE_SIGNAL = "close"
DECIDE_SIGNAL = "decide"
CONFIGURE_SIGNAL = "configure"

REVISE_UPDATE = "revise_prompt"
WITHDRAW_UPDATE = "withdraw_prompt"
NOT_WAITING = "prompt_not_waiting"
"""Type of the error of both when the prompt is being worked on, was never sent or is done."""

SESSIONS_QUEUE = "sessions"
MODELS_QUEUE = "models"
HOSTS_QUEUE = "hosts"
"""Any host takes from it; the opening of a sandbox goes there when the session has none."""

VIEW_MEMO = "view"
"""Memo key of the session's `SessionView`."""

REFUSED_MEMO = "refused"
"""Memo key of the newest prompt or answer that the session did not take, as its event."""

OPTIONS_MEMO = "options"
"""Memo key of the session's `SessionOptions`."""

PHASE_ATTRIBUTE = "OvernightPhase"
"""Keyword search attribute holding the session's `Phase`; carries no private text."""


def host_queue(host_id: str) -> str:
    """Return the task queue of the host that holds a sandbox."""
    return f"host-{host_id}"
