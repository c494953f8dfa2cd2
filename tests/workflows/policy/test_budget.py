"""What a turn may use, as a table."""

import pytest

from tests.workflows.conftest import prompt
from workflows.contract.session import Budget, StopReason, TurnState
from workflows.policy import budget

LIMITS = Budget(steps=3, minutes=2)


def turn(step: int) -> TurnState:
    return TurnState(number=1, prompt=prompt("x"), step=step, started_at=1_000.0)


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
    assert budget.spent(turn(step), LIMITS, now) == reason


@pytest.mark.parametrize(("now", "left"), [(1_000.0, 120.0), (1_100.0, 20.0), (2_000.0, 1.0)])
def test_a_command_gets_the_time_that_is_left(now: float, left: float) -> None:
    """It never outlives the turn's budget by more than a second."""
    assert budget.seconds_left(turn(1), LIMITS, now) == left


def test_the_explanation_names_the_budget() -> None:
    """And says how to go on."""
    text = budget.explain(StopReason.TIME_BUDGET, LIMITS)
    assert "2 minutes" in text
    assert "send a prompt" in text
