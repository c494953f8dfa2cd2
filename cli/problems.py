"""Errors that a person can act on, and the exit codes that programs can."""

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What the exit status of `overnight` means."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_AUTHENTICATED = 4
    UNREACHABLE = 5
    CONFLICT = 6
    SESSION_FAILED = 10
    CHECKS_FAILED = 11
    STOPPED = 12
    BUDGET = 13
    NEEDS_ANSWER = 14
    CTRL_C = 130


class Code(StrEnum):
    """Stable names of the errors found on this side of the gateway."""

    SESSION_AMBIGUOUS = "session_ambiguous"
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    ANSWER_NOT_UNDERSTOOD = "answer_not_understood"
    SESSION_UNKNOWN = "session_unknown"
    UNAUTHENTICATED = "unauthenticated"
    OUTPUT_INCOMPLETE = "output_incomplete"
    COMMAND_UNKNOWN = "command_unknown"
    PROMPT_TOO_LARGE = "prompt_too_large"
    INPUT_UNKNOWN = "input_unknown"
    REPOSITORY_EMPTY = "repository_empty"
    HEAD_DETACHED = "head_detached"
    REPOSITORY_UNUSABLE = "repository_unusable"
    REPOSITORY_UNKNOWN = "repository_unknown"
    BASE_UNKNOWN = "base_unknown"
    GIT_MISSING = "git_missing"
    GIT_SLOW = "git_slow"
    SETTINGS = "settings"
    GATEWAY_UNUSABLE = "gateway_unusable"
    MODEL_MISSING = "model_missing"
    PROMPT_UNREADABLE = "prompt_unreadable"
    REQUEST_INVALID = "request_invalid"
    PROMPT_EMPTY = "prompt_empty"
    PROMPT_UNKNOWN = "prompt_unknown"
    NOTHING_CHANGED = "nothing_changed"
    NOTHING_ASKED = "nothing_asked"
    QUESTION_OTHER = "question_other"
    NOT_CONFIRMED = "not_confirmed"
    PROCESS_FAILED = "process_failed"
    TEMPORAL_MISSING = "temporal_missing"
    STACK_FAILED = "stack_failed"
    STOP_FAILED = "stop_failed"
    DATA_FOLDER = "data_folder"
    PORT_TAKEN = "port_taken"
    STACK_RUNNING = "stack_running"
    SANDBOX_MISSING = "sandbox_missing"


class CliProblem(Exception):  # noqa: N818 - the gateway's word for it
    """An expected error: shown as text without a traceback; `hint` says what to do about it."""

    def __init__(
        self, code: str, detail: str, hint: str = "", *, exit_code: ExitCode = ExitCode.ERROR
    ) -> None:
        super().__init__(detail)
        self.code = code
        """Stable name for programs; the gateway's own code when the gateway refused."""
        self.detail = detail
        self.hint = hint
        self.exit_code = exit_code
