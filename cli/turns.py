"""Which turn of a session is followed, and when it has ended; pure."""

from cli.stream.items import Item
from workflows.contract.base import PromptId
from workflows.contract.events import PromptRevised, PromptWithdrawn, SessionEvent, ViewChanged
from workflows.contract.session import Phase, PromptMode, SessionView


class Followed:
    """A turn, known by its number or as the one that takes up a prompt.

    `turn` is the number that the prompt's turn is expected to have; where it was seen waiting, the
    turn that runs once it waits no more is the one, be it a new one or one that it steers.
    """

    def __init__(self, turn: int, prompt: PromptId | None = None) -> None:
        self._turn = turn
        self._prompt = prompt
        self._was_waiting = False
        self._was_last = False
        """It was the last one shown: another that goes before all may hide it."""

        self.is_dropped = False
        """The prompt was taken back or refused: no turn takes it up."""

    def note(self, item: Item) -> None:
        """Take note of what becomes of the prompt while it waits."""
        if not isinstance(item, SessionEvent) or self._prompt is None:
            return
        match item.event:
            case PromptRevised(prompt_id=self._prompt, replacement=replacement):
                self._prompt = replacement
            case PromptWithdrawn(prompt_id=self._prompt):
                self.is_dropped = True
            case ViewChanged(view=view):
                self._look(self._prompt, view)
            case _:
                pass

    def has_ended(self, view: SessionView) -> bool:
        """Tell whether by this view the turn has ended, or will never be."""
        if view.phase is Phase.CLOSED or self.is_dropped:
            return True
        return not self._was_waiting and last_turn(view) >= self._turn

    def _look(self, prompt: PromptId, view: SessionView) -> None:
        self.is_dropped |= view.refused.startswith(f"{prompt}:")
        shown = [each.id for each in view.queue]
        if prompt in shown:
            self._was_waiting = True
            self._was_last = shown[-1] == prompt
        elif self._was_waiting and not (self._was_last and view.queued > len(shown)):
            self._was_waiting = False
            self._turn = view.turn


def last_turn(view: SessionView) -> int:
    """Return the number of the turn that has ended last; 0 when none has."""
    return view.last.turn if view.last else 0


def watched(view: SessionView) -> Followed:
    """Return the turn that runs or is next; the last one when the session rests."""
    rests = view.phase is Phase.WAITING and not view.queued
    return Followed(max(last_turn(view) + (0 if rests else 1), 1))


def of_prompt(before: SessionView, prompt: PromptId, mode: PromptMode) -> Followed:
    """Return the turn that a prompt is worked on in; `before` it was sent the session was so."""
    running = 1 if before.turn > last_turn(before) else 0
    if mode is PromptMode.STEER and running:
        return Followed(before.turn, prompt)
    steering = sum(each.mode is PromptMode.STEER for each in before.queue) if running else 0
    ahead = 0 if mode is PromptMode.INTERRUPT else before.queued - steering
    return Followed(last_turn(before) + running + ahead + 1, prompt)
