"""The stable codes of everything that goes wrong, and what a row that explains one holds.

A client of the interface, a person at the command line and a reader of the page meet the same
codes. The rows stand in `workflows/contract/explanations/`; `docs/errors.md` is made from them.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Source(StrEnum):
    """Where a code is met first."""

    GATEWAY = "gateway"
    COMMAND_LINE = "command line"
    SESSION = "session"


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
    """Stable name of what went wrong, for programs."""

    # Answers of the gateway.
    MALFORMED_REQUEST = "malformed_request"
    MALFORMED_JSON = "malformed_json"
    MALFORMED_TEXT = "malformed_text"
    UNAUTHENTICATED = "unauthenticated"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    NOT_FOUND = "not_found"
    SESSION_UNKNOWN = "session_unknown"
    NO_PULL_REQUEST = "no_pull_request"
    NO_DIFF = "no_diff"
    NOT_JUDGED = "not_judged"
    NO_OUTPUT = "no_output"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    PROMPT_CONFLICT = "prompt_conflict"
    PROMPT_NOT_WAITING = "prompt_not_waiting"
    QUESTION_NOT_OPEN = "question_not_open"
    SESSION_CLOSED = "session_closed"
    SESSION_OPEN = "session_open"
    SESSION_UNRECOVERABLE = "session_unrecoverable"
    BODY_TOO_LARGE = "body_too_large"
    PROMPT_TOO_LARGE = "prompt_too_large"
    MEDIA_TYPE_NOT_SUPPORTED = "media_type_not_supported"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    HOST_NOT_ALLOWED = "host_not_allowed"
    QUEUE_FULL = "queue_full"
    INVALID_REQUEST = "invalid_request"
    MODEL_MISSING = "model_missing"
    REPOSITORY_REFUSED = "repository_refused"
    INTERNAL_ERROR = "internal_error"
    OUTCOME_UNKNOWN = "outcome_unknown"
    TEMPORAL_UNAVAILABLE = "temporal_unavailable"
    STORE_UNAVAILABLE = "store_unavailable"
    TOO_MANY_SOCKETS = "too_many_sockets"
    TOO_MANY_CONNECTIONS = "too_many_connections"

    # Found by the command line itself.
    SESSION_AMBIGUOUS = "session_ambiguous"
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    GATEWAY_UNUSABLE = "gateway_unusable"
    ANSWER_NOT_UNDERSTOOD = "answer_not_understood"
    OUTPUT_INCOMPLETE = "output_incomplete"
    COMMAND_UNKNOWN = "command_unknown"
    COMMAND_CUT = "command_cut"
    CODE_UNKNOWN = "code_unknown"
    INPUT_UNKNOWN = "input_unknown"
    REPOSITORY_EMPTY = "repository_empty"
    HEAD_DETACHED = "head_detached"
    REPOSITORY_UNUSABLE = "repository_unusable"
    REPOSITORY_UNKNOWN = "repository_unknown"
    BASE_UNKNOWN = "base_unknown"
    GIT_MISSING = "git_missing"
    GIT_FAILED = "git_failed"
    GIT_SLOW = "git_slow"
    SETTINGS = "settings"
    PROMPT_UNREADABLE = "prompt_unreadable"
    PROMPT_EMPTY = "prompt_empty"
    PROMPT_UNKNOWN = "prompt_unknown"
    REQUEST_INVALID = "request_invalid"
    NOTHING_CHANGED = "nothing_changed"
    NOTHING_ASKED = "nothing_asked"
    QUESTION_OTHER = "question_other"
    NOT_CONFIRMED = "not_confirmed"
    PROCESS_FAILED = "process_failed"
    TEMPORAL_MISSING = "temporal_missing"
    STACK_FAILED = "stack_failed"
    STACK_RUNNING = "stack_running"
    STOP_FAILED = "stop_failed"
    DATA_FOLDER = "data_folder"
    DEMO_FOLDER = "demo_folder"
    PORT_TAKEN = "port_taken"
    SANDBOX_MISSING = "sandbox_missing"

    # What work in a session fails with: the values of `workflows.contract.failures.Failure`.
    TEMPORARY = "temporary"
    MODEL_WAIT = "model_wait"
    MODEL_RETRY = "model_retry"
    MODEL_COMPACT = "model_compact"
    MODEL_FATAL = "model_fatal"
    MODEL_REFUSED = "model_refused"
    SANDBOX_GONE = "sandbox_gone"
    SANDBOX_UNAVAILABLE = "sandbox_unavailable"
    SETUP_FAILED = "setup_failed"
    REPOSITORY = "repository"
    CONFIGURATION = "configuration"
    BRANCH_MOVED = "branch_moved"
    GIT_TAMPERED = "git_tampered"

    # Why a turn ended short of its aim: values of `workflows.contract.session.StopReason`.
    STEP_BUDGET = "step_budget"
    TIME_BUDGET = "time_budget"
    TOKEN_BUDGET = "token_budget"  # noqa: S105  # a limit, no secret
    COST_BUDGET = "cost_budget"
    CHECKS_FAILED = "checks_failed"
    STUCK = "stuck"
    REJECTED = "rejected"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Explanation(NamedTuple):
    """One row: what a code means and what to do about it."""

    sources: tuple[Source, ...]
    status: int | None
    """HTTP status of the gateway's answer; none when it answers with no such error."""

    exit_code: ExitCode | None
    """Exit status of `overnight`; none when it goes on."""

    title: str
    """One line; begins a sentence and has no full stop."""

    cause: str
    """When it happens."""

    cure: str
    """What to do, for whoever meets it; names requests to the gateway where there is one."""

    typed: str = ""
    """What to type instead of such a request; `{session}` stands for the session's id."""

    retry_seconds: int = 0
    """Header Retry-After of the gateway's answer; none when 0."""
