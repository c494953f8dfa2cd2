"""Decides what becomes of a prompt that arrives."""

import hashlib
from enum import StrEnum

from workflows.contract.base import PromptId
from workflows.contract.session import (
    QUEUE_LIMIT,
    QUEUE_MOST,
    SEEN_LIMIT,
    STATE_FULL_BYTES,
    STATE_LIMIT_BYTES,
    SessionState,
)


class Admission(StrEnum):
    """What becomes of a prompt."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    REFUSED = "refused"


def fingerprint(prompt: PromptId) -> str:
    """Return the short form in which a session remembers a prompt's id."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]


def admit(prompt: PromptId, state: SessionState) -> Admission:
    """Accept a prompt once, as long as there is room for it in the state that a run hands on."""
    if is_known(prompt, state):
        return Admission.REPEATED
    has_room = _has_room(state, QUEUE_MOST, STATE_LIMIT_BYTES)
    return Admission.ACCEPTED if has_room else Admission.REFUSED


def is_full(state: SessionState) -> bool:
    """Tell whether nobody should send a further prompt; what is on its way finds room beyond."""
    return not _has_room(state, QUEUE_LIMIT, STATE_FULL_BYTES)


def is_known(prompt: PromptId, state: SessionState) -> bool:
    """Tell whether a prompt of this id was sent before."""
    return fingerprint(prompt) in state.seen


def remember(prompt: PromptId, seen: tuple[str, ...]) -> tuple[str, ...]:
    """Add a prompt to the known ones, forgetting the oldest beyond the limit."""
    return (*seen, fingerprint(prompt))[-SEEN_LIMIT:]


def _has_room(state: SessionState, prompts: int, size_bytes: int) -> bool:
    # Where none waits there is always room for one, or the state would never become smaller.
    if not state.queue:
        return True
    return len(state.queue) < prompts and len(state.model_dump_json().encode()) <= size_bytes
