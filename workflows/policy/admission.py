"""Decides what becomes of a prompt that arrives."""

import hashlib
from enum import StrEnum

from workflows.contract.base import PromptId
from workflows.contract.session import (
    QUEUE_LIMIT,
    SEEN_LIMIT,
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
    full = len(state.queue) >= QUEUE_LIMIT
    large = len(state.model_dump_json().encode()) > STATE_LIMIT_BYTES
    return Admission.REFUSED if full or large else Admission.ACCEPTED


def is_known(prompt: PromptId, state: SessionState) -> bool:
    """Tell whether a prompt of this id was sent before."""
    return fingerprint(prompt) in state.seen


def remember(prompt: PromptId, seen: tuple[str, ...]) -> tuple[str, ...]:
    """Add a prompt to the known ones, forgetting the oldest beyond the limit."""
    return (*seen, fingerprint(prompt))[-SEEN_LIMIT:]
