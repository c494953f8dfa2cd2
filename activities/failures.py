"""The errors that activities raise: what happened, and whether a retry may mend it."""

from temporalio.exceptions import ApplicationError

from workflows.contract.failures import Failure

MESSAGE_LIMIT = 2_000
"""Characters of a message; longer ones are cut, so that no history event grows large."""


def permanent(failure: Failure, message: str) -> ApplicationError:
    """Make an error that no retry mends."""
    return ApplicationError(message[:MESSAGE_LIMIT], type=failure, non_retryable=True)


def temporary(message: str) -> ApplicationError:
    """Make an error that Temporal answers with a retry."""
    return ApplicationError(message[:MESSAGE_LIMIT], type=Failure.TEMPORARY)
