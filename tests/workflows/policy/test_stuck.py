"""When a model goes round in circles, as a table."""

import pytest

from workflows.policy import stuck
from workflows.policy.verdict import Progress


@pytest.mark.parametrize(
    ("steps", "progress"),
    [
        ("", Progress.GOING_ON),
        ("a", Progress.GOING_ON),
        ("aa", Progress.GOING_ON),
        ("aaa", Progress.NUDGE),
        ("aaaa", Progress.STUCK),
        ("xyaaa", Progress.NUDGE),
        ("aaab", Progress.GOING_ON),
        ("aba", Progress.GOING_ON),
        ("abab", Progress.NUDGE),
        ("ababa", Progress.NUDGE),
        ("ababab", Progress.STUCK),
        ("abcabcabc", Progress.GOING_ON),
        ("abcdefghij", Progress.GOING_ON),
    ],
)
def test_the_same_again_is_told_and_then_stopped(steps: str, progress: Progress) -> None:
    """The same step four times in a row, or two steps in turns six times."""
    recent: tuple[str, ...] = ()
    for step in steps:
        recent = stuck.remember(recent, step)
    assert stuck.assess(recent) is progress


def test_only_the_last_steps_are_remembered() -> None:
    """What a session hands on stays small."""
    recent: tuple[str, ...] = ()
    for step in range(100):
        recent = stuck.remember(recent, f"{step}")
    assert len(recent) == stuck.REMEMBERED
