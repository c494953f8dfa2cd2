"""What a session may use, as tables."""

import pytest

from tests.workflows.conftest import prompt
from workflows.contract.model import Usage
from workflows.contract.session import Budget, SessionState, StopReason, TurnState
from workflows.policy import budget

LIMITS = Budget(steps=3, minutes=2)


def turn(step: int, **more: float) -> TurnState:
    fields = {"number": 1, "prompt": prompt("x"), "step": step, "started_at": 1_000.0, **more}
    return TurnState.model_validate(fields)


@pytest.mark.parametrize(
    ("step", "now", "reason"),
    [
        (0, 1_000.0, None),
        (2, 1_119.9, None),
        (3, 1_000.0, StopReason.STEP_BUDGET),
        (2, 1_120.0, StopReason.TIME_BUDGET),
        (3, 1_120.0, StopReason.STEP_BUDGET),
    ],
)
def test_a_budget_is_spent_at_its_limit(step: int, now: float, reason: StopReason | None) -> None:
    """Steps are counted when they were asked for, time from the turn's beginning."""
    assert budget.spent(SessionState(), turn(step), LIMITS, now) == reason


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (Usage(input_tokens=60, output_tokens=39, cost_usd=0.9), None),
        (Usage(input_tokens=60, output_tokens=40), StopReason.TOKEN_BUDGET),
        (Usage(cost_usd=1.0), StopReason.COST_BUDGET),
        (Usage(cost_usd=None), None),
    ],
)
def test_tokens_and_money_are_of_the_whole_session(usage: Usage, reason: StopReason | None) -> None:
    """A model of unknown price is held by its tokens alone."""
    limits = Budget(tokens=100, cost_usd=1.0)
    assert budget.spent(SessionState(usage=usage), turn(0), limits, 1_000.0) == reason


def test_waiting_for_a_person_is_no_working_time() -> None:
    """A week of waiting leaves the minutes as they were."""
    week = 7 * 24 * 3_600.0
    assert budget.seconds_left(turn(1, waited_seconds=week), LIMITS, 1_100.0 + week) == 20.0


@pytest.mark.parametrize(
    "reason",
    [
        StopReason.STEP_BUDGET,
        StopReason.TIME_BUDGET,
        StopReason.TOKEN_BUDGET,
        StopReason.COST_BUDGET,
    ],
)
def test_what_a_person_grants_is_as_much_again_from_what_was_used(reason: StopReason) -> None:
    """However far beyond it was: it is not spent any more, until as much again is used."""
    limits = Budget(steps=3, minutes=2, tokens=100, cost_usd=1.0)
    usage = Usage(input_tokens=900, output_tokens=105, cost_usd=7.0)
    state = SessionState(turn=turn(40), usage=usage)
    now = 1_000.0 + 30 * 60
    assert _is_spent(reason, state, limits, now)
    raised = budget.raised(reason, state, now)
    assert not _is_spent(reason, raised, limits, now)
    assert raised.turn is not None
    further = raised.model_copy(
        update={
            "turn": raised.turn.model_copy(update={"step": 43}),
            "usage": Usage(input_tokens=1_105, cost_usd=8.0),
        }
    )
    assert _is_spent(reason, further, limits, now + 120)


@pytest.mark.parametrize(
    ("reason", "first", "second"),
    [
        (StopReason.STEP_BUDGET, "the turn used its 3 steps", "the turn used its 7 steps"),
        (StopReason.TIME_BUDGET, "the turn used its 2 minutes", "the turn used its 4.5 minutes"),
        (
            StopReason.TOKEN_BUDGET,
            "the session used its 1,000 tokens",
            "the session used its 2,005 tokens",
        ),
        (StopReason.COST_BUDGET, "the session used its 0.5 USD", "the session used its 1.25 USD"),
    ],
)
def test_a_question_names_what_was_granted_as_well(
    reason: StopReason, first: str, second: str
) -> None:
    """Whoever is asked a second time is told of the limit that is reached now."""
    limits = Budget(steps=3, minutes=2, tokens=1_000, cost_usd=0.5)
    usage = Usage(input_tokens=900, output_tokens=105, cost_usd=0.75)
    state = SessionState(turn=turn(4), usage=usage)
    assert budget.explain(reason, state, limits) == first
    granted = budget.raised(reason, state, 1_000.0 + 150)
    assert budget.explain(reason, granted, limits) == second


def _is_spent(reason: StopReason, state: SessionState, limits: Budget, now: float) -> bool:
    only = {
        StopReason.STEP_BUDGET: Budget(steps=limits.steps, minutes=10_000),
        StopReason.TIME_BUDGET: Budget(steps=10_000, minutes=limits.minutes),
        StopReason.TOKEN_BUDGET: Budget(steps=10_000, minutes=10_000, tokens=limits.tokens),
        StopReason.COST_BUDGET: Budget(steps=10_000, minutes=10_000, cost_usd=limits.cost_usd),
    }
    assert state.turn is not None
    return budget.spent(state, state.turn, only[reason], now) is reason
