"""What becomes of prompts that arrive."""

from tests.workflows.conftest import prompt
from workflows.contract.base import PromptId
from workflows.contract.session import (
    QUEUE_LIMIT,
    QUEUE_MOST,
    SEEN_LIMIT,
    STATE_FULL_BYTES,
    STATE_LIMIT_BYTES,
    SessionState,
)
from workflows.contract.transcript import FromWorkflow
from workflows.policy.admission import Admission, admit, is_full, remember

NEXT = PromptId("the next one")


def waiting(count: int) -> SessionState:
    """Return the state of a long session in which so many prompts wait."""
    seen = tuple(f"{number:016x}" for number in range(SEEN_LIMIT))
    return SessionState(queue=tuple(prompt("x" * 60) for _ in range(count)), seen=seen)


def test_there_is_room_for_what_is_on_its_way() -> None:
    """A session is full long before it refuses."""
    assert not is_full(waiting(QUEUE_LIMIT - 1))
    assert is_full(waiting(QUEUE_LIMIT))
    assert admit(NEXT, waiting(QUEUE_MOST - 1)) is Admission.ACCEPTED
    assert admit(NEXT, waiting(QUEUE_MOST)) is Admission.REFUSED


def test_a_large_state_is_full_and_a_larger_one_refuses() -> None:
    """But where nothing waits one prompt is taken: only a turn makes a state smaller."""
    for size, verdict in (
        (STATE_FULL_BYTES, Admission.ACCEPTED),
        (STATE_LIMIT_BYTES, Admission.REFUSED),
    ):
        pending = (FromWorkflow(text="x" * 1_024),) * (size // 1_024)
        large = waiting(1).model_copy(update={"seen": (), "pending": pending})
        assert is_full(large)
        assert admit(NEXT, large) is verdict
        idle = large.model_copy(update={"queue": ()})
        assert not is_full(idle)
        assert admit(NEXT, idle) is Admission.ACCEPTED


def test_a_known_prompt_is_a_repetition_even_of_a_full_session() -> None:
    """It takes no room."""
    full = waiting(QUEUE_MOST)
    known = full.model_copy(update={"seen": remember(NEXT, full.seen)})
    assert admit(NEXT, known) is Admission.REPEATED
