"""Decides from a turn's last steps whether the model goes round in circles."""

import hashlib

from workflows.policy.verdict import Progress

REPEATS_NUDGED = 3
REPEATS_LIMIT = 4
"""Steps in a row that ask for the same and get the same."""

ALTERNATIONS_NUDGED = 4
ALTERNATIONS_LIMIT = 6
"""Steps in which two such take turns."""

REMEMBERED = 20


def remember(recent: tuple[str, ...], *parts: str) -> tuple[str, ...]:
    """Add what a step asked for and what came of it; the oldest are forgotten."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return (*recent, digest)[-REMEMBERED:]


def assess(recent: tuple[str, ...]) -> Progress:
    """Tell whether the last steps are the same, or the same two in turns."""
    same, turns = _run_of(recent, 1), _run_of(recent, 2)
    if same >= REPEATS_LIMIT or turns >= ALTERNATIONS_LIMIT:
        return Progress.STUCK
    if same >= REPEATS_NUDGED or turns >= ALTERNATIONS_NUDGED:
        return Progress.NUDGE
    return Progress.GOING_ON


def _run_of(recent: tuple[str, ...], period: int) -> int:
    """Count the steps at the end that each equal the one `period` steps before or after."""
    count = 0
    for position in range(len(recent) - 1, period - 1, -1):
        if recent[position] != recent[position - period]:
            break
        count += 1
    return count + period if count else 0
