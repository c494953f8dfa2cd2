"""Decides when a session goes on in a fresh run, so that its history stays small."""

STEP_EVENTS = 2_000
STEP_BYTES = 2 * 1024 * 1024
IDLE_EVENTS = 200
"""An idle session with a short history wakes cheaply and upgrades safely."""


def due_between_steps(events: int, size_bytes: int) -> bool:
    """Tell whether a working session should go on in a new run before its next step."""
    return events >= STEP_EVENTS or size_bytes >= STEP_BYTES


def due_when_idle(events: int) -> bool:
    """Tell whether a session that starts to wait should do so in a new run."""
    return events >= IDLE_EVENTS
