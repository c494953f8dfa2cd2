"""Errors say who can act and stay small."""

from activities.failures import MESSAGE_LIMIT, permanent, temporary
from workflows.contract.failures import Failure


def test_only_temporary_errors_are_retried():
    """The type is the failure, as the workflow compares it."""
    assert permanent(Failure.REPOSITORY, "x").non_retryable
    assert permanent(Failure.REPOSITORY, "x").type == "repository"
    assert not temporary("x").non_retryable
    assert temporary("x").type == "temporary"


def test_long_messages_are_cut():
    """A message is part of the history and may come from a remote."""
    assert len(permanent(Failure.REPOSITORY, "x" * 10_000).message) == MESSAGE_LIMIT
