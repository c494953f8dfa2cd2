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
def test_what_a_person_grants_is_as_much_again(reason: StopReason) -> None:
    """What was spent is not any more, until it is spent a second time."""
    limits = Budget(steps=3, minutes=2, tokens=100, cost_usd=1.0)
    state = SessionState(turn=turn(1))
    raised = budget.raised(reason, state, limits)
    assert raised.turn is not None
    spent = {
        StopReason.STEP_BUDGET: (raised.turn.extra_steps, 3),
        StopReason.TIME_BUDGET: (raised.turn.extra_minutes, 2.0),
        StopReason.TOKEN_BUDGET: (raised.extra_tokens, 100),
        StopReason.COST_BUDGET: (raised.extra_cost_usd, 1.0),
    }
    given, wanted = spent[reason]
    assert given == wanted
    assert budget.explain(reason, limits).startswith(("the turn used", "the session used"))
