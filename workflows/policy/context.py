"""Decides when a transcript becomes too long for its model, and what is given up first."""

from enum import StrEnum

FULL = 0.75
"""Share of what the model can take in at which something is left out."""

KEPT_MESSAGES = 20
"""Messages at the end whose tool results are always sent."""


WORTHWHILE_MESSAGES = 10
"""Fewer messages than this are not worth a changed beginning, which empties providers' caches."""


class Relief(StrEnum):
    """What makes the next request shorter."""

    NONE = "none"
    BLANK = "blank"
    """Old tool results are left out; costs no request."""

    COMPACT = "compact"
    """The model sums the transcript up."""

    BLANK_ALL = "blank_all"
    """Also the newest tool results are left out: the last resort."""


def due(tokens: int, limit: int, messages: int, blanked: int) -> Relief:
    """Tell what to do before the next request.

    Args:
        tokens: input of the newest request; 0 when there was none since the last relief.
        limit: what the model can take in; 0 when that is not known.
        messages: length of the transcript.
        blanked: messages whose results are left out already.
    """
    if not limit or tokens < limit * FULL:
        return Relief.NONE
    return after_overflow(messages, blanked)


def after_overflow(messages: int, blanked: int, *, was_compacted: bool = False) -> Relief:
    """Tell what to do when the provider says that a request was too long."""
    if was_compacted:
        return Relief.BLANK_ALL
    gained = blankable(messages) - blanked
    return Relief.BLANK if gained >= WORTHWHILE_MESSAGES else Relief.COMPACT


def blankable(messages: int) -> int:
    """Return how many messages from the beginning may be sent without their results."""
    return max(0, messages - KEPT_MESSAGES)
