"""When a transcript is made shorter, as a table."""

import pytest

from workflows.policy import context
from workflows.policy.context import Relief


@pytest.mark.parametrize(
    ("tokens", "limit", "messages", "blanked", "relief"),
    [
        (0, 0, 500, 0, Relief.NONE),
        (10**9, 0, 500, 0, Relief.NONE),
        (749, 1_000, 500, 0, Relief.NONE),
        (750, 1_000, 500, 0, Relief.BLANK),
        (750, 1_000, 500, 480, Relief.COMPACT),
        (750, 1_000, 509, 480, Relief.COMPACT),
        (750, 1_000, 510, 480, Relief.BLANK),
        (750, 1_000, 20, 0, Relief.COMPACT),
    ],
)
def test_old_results_go_first(
    tokens: int, limit: int, messages: int, blanked: int, relief: Relief
) -> None:
    """A summary costs a request, so it is the last resort; an unknown limit asks for nothing."""
    assert context.due(tokens, limit, messages, blanked) is relief
