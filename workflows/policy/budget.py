"""Decides whether a session has used up what it may."""

from workflows.contract.session import Budget, SessionState, StopReason, TurnState


def spent(state: SessionState, turn: TurnState, budget: Budget, now: float) -> StopReason | None:
    """Return the budget that is used up, if any; `now` in seconds since the epoch."""
    usage = state.usage
    if turn.step >= budget.steps + turn.extra_steps:
        return StopReason.STEP_BUDGET
    if seconds_left(turn, budget, now) <= 0:
        return StopReason.TIME_BUDGET
    tokens = usage.input_tokens + usage.output_tokens
    if budget.tokens is not None and tokens >= budget.tokens + state.extra_tokens:
        return StopReason.TOKEN_BUDGET
    cost = usage.cost_usd
    if budget.cost_usd is None or cost is None:
        return None
    return StopReason.COST_BUDGET if cost >= budget.cost_usd + state.extra_cost_usd else None


def seconds_left(turn: TurnState, budget: Budget, now: float) -> float:
    """Return how long this turn may still work; the time it waited for a person is left out."""
    allowed = (budget.minutes + turn.extra_minutes) * 60
    return allowed - (now - turn.started_at - turn.waited_seconds)


def raised(reason: StopReason, state: SessionState, now: float) -> SessionState:
    """Grant as much again of what is used up, counted from what has been used by `now`."""
    turn, usage = state.turn, state.usage
    assert turn is not None
    match reason:
        case StopReason.STEP_BUDGET:
            turn = turn.model_copy(update={"extra_steps": turn.step})
        case StopReason.TIME_BUDGET:
            used = (now - turn.started_at - turn.waited_seconds) / 60
            turn = turn.model_copy(update={"extra_minutes": used})
        case StopReason.TOKEN_BUDGET:
            return state.model_copy(
                update={"extra_tokens": usage.input_tokens + usage.output_tokens}
            )
        case _:
            return state.model_copy(update={"extra_cost_usd": usage.cost_usd or 0.0})
    return state.model_copy(update={"turn": turn})


def explain(reason: StopReason, state: SessionState, budget: Budget) -> str:
    """Say which budget is used up, with all that a person has granted beyond it."""
    turn = state.turn
    assert turn is not None
    match reason:
        case StopReason.STEP_BUDGET:
            return f"the turn used its {budget.steps + turn.extra_steps} steps"
        case StopReason.TIME_BUDGET:
            return f"the turn used its {round(budget.minutes + turn.extra_minutes, 1):g} minutes"
        case StopReason.TOKEN_BUDGET:
            allowed = (budget.tokens or 0) + state.extra_tokens
            return f"the session used its {allowed:,} tokens"
        case _:
            cost = (budget.cost_usd or 0.0) + state.extra_cost_usd
            return f"the session used its {round(cost, 4):g} USD"
