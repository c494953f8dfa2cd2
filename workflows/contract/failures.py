"""Why an activity could not find out what it was asked, by who can act on it."""

from enum import StrEnum


class Failure(StrEnum):
    """The `type` of every `ApplicationError` that an activity raises."""

    TEMPORARY = "temporary"
    """A retry may mend it; Temporal repeats by the policy in `workflows/calls.py`."""

    MODEL_WAIT = "model_wait"
    """The provider asks to wait (429); retried after the time it names."""

    MODEL_RETRY = "model_retry"
    """The provider failed or its answer was cut; retried with backoff."""

    MODEL_COMPACT = "model_compact"
    """The transcript exceeds what the model can read; no retry mends it."""

    MODEL_FATAL = "model_fatal"
    """Key, quota, model name or request are wrong; a person must act."""

    MODEL_REFUSED = "model_refused"
    """The model declines the content; another prompt or another model may do."""

    SANDBOX_GONE = "sandbox_gone"
    """Nothing answers for the sandbox; the workflow opens it again and says so."""

    SANDBOX_UNAVAILABLE = "sandbox_unavailable"
    """The host refuses to make a sandbox; a person must act."""

    SETUP_FAILED = "setup_failed"
    """The repository's `[environment] setup` ended with a failure."""

    REPOSITORY = "repository"
    """The repository or its base cannot be used; a person must act."""

    CONFIGURATION = "configuration"
    """The repository's `.overnight.toml` cannot be used; a session keeps the one it began with."""

    BRANCH_MOVED = "branch_moved"
    """Somebody else moved the session's branch; nothing was overwritten."""

    GIT_TAMPERED = "git_tampered"
    """The sandbox's git data cannot be exported; nothing was pushed."""
