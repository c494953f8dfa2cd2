"""Which turn a prompt is worked on in, and when that has ended."""

from collections.abc import Iterable

import pytest

from cli import turns
from cli.turns import Followed
from tests.cli.happenings import event
from workflows.contract import events
from workflows.contract.base import PromptId
from workflows.contract.model import Usage
from workflows.contract.session import (
    Phase,
    PromptMode,
    QueuedPrompt,
    SessionView,
    StopReason,
    TurnEnd,
)

MINE = PromptId("mine")


def view(turn: int, last: int, *waiting: str, queued: int = 0, refused: str = "") -> SessionView:
    """Return what a session shows in a turn, after the last one has ended, with prompts waiting."""
    queue = tuple(
        QueuedPrompt(id=PromptId(name), mode=PromptMode.QUEUE, excerpt="") for name in waiting
    )
    return SessionView(
        phase=Phase.WORKING if turn > last or waiting else Phase.WAITING,
        run_index=0,
        turn=turn,
        step=0,
        queued=queued or len(queue),
        queue=queue,
        usage=Usage(),
        last=TurnEnd(turn=last, reason=StopReason.FINISHED) if last else None,
        refused=refused,
    )


def seen(followed: Followed, views: Iterable[SessionView]) -> list[bool]:
    """Return after which of these views the turn has ended."""
    ends = []
    for number, shown in enumerate(views):
        followed.note(event(number, events.ViewChanged(view=shown)))
        ends.append(followed.has_ended(shown))
    return ends


def expected(before: SessionView, mode: PromptMode) -> int:
    """Return the number of the turn that a prompt never seen waiting is taken to belong to."""
    followed = turns.of_prompt(before, MINE, mode)
    return next(last for last in range(9) if followed.has_ended(view(9, last)))


@pytest.mark.parametrize(
    ("before", "queue", "steer", "interrupt"),
    [
        (view(0, 0), 1, 1, 1),
        (view(3, 3), 4, 4, 4),
        (view(3, 2), 4, 3, 4),
        (view(3, 2, "a", "b"), 6, 3, 4),
        (view(3, 3, "a"), 5, 5, 4),
    ],
)
def test_a_prompt_has_its_place_among_those_that_wait(
    before: SessionView, queue: int, steer: int, interrupt: int
):
    """After them, within what runs, or before them."""
    found = tuple(expected(before, mode) for mode in PromptMode)
    assert found == (queue, steer, interrupt)


@pytest.mark.parametrize(
    ("mode", "views", "ended"),
    [
        # Another prompt is queued behind: nothing rests, yet the turn has ended.
        (
            PromptMode.QUEUE,
            [view(1, 0, "mine"), view(2, 1, "b"), view(2, 1, "b"), view(3, 2)],
            [False, False, False, True],
        ),
        # Another went before it.
        (
            PromptMode.QUEUE,
            [view(1, 0, "mine"), view(1, 0, "b", "mine"), view(2, 1, "mine"), view(3, 2)],
            [False, False, False, False],
        ),
        (PromptMode.STEER, [view(1, 0, "mine"), view(1, 0), view(1, 1)], [False, False, True]),
        # The turn that it was to steer ended first.
        (
            PromptMode.STEER,
            [view(1, 0, "mine"), view(1, 1, "mine"), view(2, 1), view(2, 2)],
            [False, False, False, True],
        ),
        # One that goes before all hides the last one shown.
        (
            PromptMode.QUEUE,
            [
                view(1, 0, "a", "mine"),
                view(1, 0, "b", "a", queued=3),
                view(9, 8, "mine"),
                view(9, 9),
            ],
            [False, False, False, True],
        ),
        (PromptMode.QUEUE, [view(1, 0), view(1, 0, refused="mine: full")], [False, True]),
    ],
)
def test_a_prompt_is_followed_to_the_end_of_its_own_turn(
    mode: PromptMode, views: list[SessionView], ended: list[bool]
):
    """Whatever waits behind it or goes before it."""
    followed = turns.of_prompt(view(1, 0), MINE, mode)
    assert seen(followed, views) == ended


def test_a_replaced_prompt_is_followed_in_its_place_and_one_taken_back_is_not():
    """The replacement has an id of its own."""
    followed = turns.of_prompt(view(1, 0), MINE, PromptMode.QUEUE)
    assert seen(followed, [view(1, 0, "mine")]) == [False]
    other = PromptId("other")
    followed.note(event(2, events.PromptRevised(prompt_id=MINE, replacement=other, excerpt="")))
    assert seen(followed, [view(1, 0, "other"), view(1, 1, "other")]) == [False, False]
    followed.note(event(3, events.PromptWithdrawn(prompt_id=other)))
    assert followed.has_ended(view(1, 1))
    assert followed.is_dropped


def test_a_watch_ends_with_what_runs():
    """With prompts waiting too; a session that rests shows its last end at once."""
    assert seen(turns.watched(view(2, 1, "a")), [view(2, 1, "a"), view(3, 2)]) == [False, True]
    assert seen(turns.watched(view(2, 2, "a")), [view(2, 2, "a"), view(3, 3)]) == [False, True]
    assert turns.watched(view(2, 2)).has_ended(view(2, 2))
    assert not turns.watched(view(0, 0)).has_ended(view(1, 0))
