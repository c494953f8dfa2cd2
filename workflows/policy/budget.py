"""Decides whether a turn has used up what it may."""

from workflows.contract.session import Budget, StopReason, TurnState


def spent(turn: TurnState, budget: Budget, now: float) -> StopReason | None:
    """Return the budget that is used up, if any; `now` in seconds since the epoch."""
    if turn.step >= budget.steps:
        return StopReason.STEP_BUDGET
    if now - turn.started_at >= budget.minutes * 60:
        return StopReason.TIME_BUDGET
    return None


def seconds_left(turn: TurnState, budget: Budget, now: float) -> float:
    """Return how long a command of this turn may still run; at least a second."""
    return max(1.0, budget.minutes * 60 - (now - turn.started_at))


def explain(reason: StopReason, budget: Budget) -> str:
    """Say which budget ended a turn and how to go on."""
    used = (
        f"{budget.steps} steps"
        if reason is StopReason.STEP_BUDGET
        else f"{budget.minutes:g} minutes"
    )
    return f"the budget of {used} is used up; the work is kept, send a prompt to go on"
