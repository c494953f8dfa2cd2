"""Every error the gateway answers with: stable codes, their status, title and cure (RFC 9457).

Raised anywhere in the gateway, turned into an answer by `edge`, `app` and `server`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from workflows.contract.api import Problem

MEDIA_TYPE = "application/problem+json"

DETAIL_CHARACTERS = 500
"""A longer detail, hint or field error is cut, since it may quote what the client sent."""

ERRORS_LIMIT = 20
"""More offending fields are not listed."""


class Code(StrEnum):
    """Stable name of an error, for programs."""

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
    INVALID_REQUEST = "invalid_request"
    MODEL_MISSING = "model_missing"
    REPOSITORY_REFUSED = "repository_refused"
    INTERNAL_ERROR = "internal_error"
    OUTCOME_UNKNOWN = "outcome_unknown"
    TEMPORAL_UNAVAILABLE = "temporal_unavailable"
    STORE_UNAVAILABLE = "store_unavailable"
    TOO_MANY_SOCKETS = "too_many_sockets"


class _Kind(NamedTuple):
    status: int
    title: str
    hint: str


_KINDS = {
    Code.MALFORMED_REQUEST: _Kind(400, "The request is not valid HTTP", "use an HTTP client"),
    Code.MALFORMED_JSON: _Kind(
        400, "The body is not valid JSON", "send one JSON object as RFC 8259 has it, in UTF-8"
    ),
    Code.MALFORMED_TEXT: _Kind(
        400, "A text cannot be kept", "send Unicode text without NUL and without lone surrogates"
    ),
    Code.UNAUTHENTICATED: _Kind(
        401, "The token is missing or wrong", "send the header 'Authorization: Bearer <token>'"
    ),
    Code.ORIGIN_NOT_ALLOWED: _Kind(
        403, "Another site made this request", "use the gateway's own page or send no Origin"
    ),
    Code.NOT_FOUND: _Kind(404, "Nothing is here", "see /api/v1/openapi.json for what there is"),
    Code.SESSION_UNKNOWN: _Kind(404, "There is no such session", "list them: GET /api/v1/sessions"),
    Code.NO_PULL_REQUEST: _Kind(
        404, "The session has proposed nothing yet", "wait for its turn to end with changes"
    ),
    Code.NO_DIFF: _Kind(
        404,
        "There is no diff to be seen",
        "a diff is kept when checks judge the work, and with each proposal: "
        "GET /api/v1/sessions/{id}/pull-request/diff",
    ),
    Code.NOT_JUDGED: _Kind(
        404,
        "Nothing was judged",
        "the checks run when the model wants to finish; wait for the event work.judged",
    ),
    Code.NO_OUTPUT: _Kind(
        404,
        "The command has no output",
        "take the ids of commands from the events: GET /api/v1/sessions/{id}/events",
    ),
    Code.METHOD_NOT_ALLOWED: _Kind(
        405, "The method does not apply here", "see the Allow header for those that do"
    ),
    Code.REQUEST_TIMEOUT: _Kind(
        408, "The request did not arrive in time", "send it again, without pauses"
    ),
    Code.PROMPT_CONFLICT: _Kind(
        409, "The prompt's id stands for another prompt", "make a new UUID for each new prompt"
    ),
    Code.PROMPT_NOT_WAITING: _Kind(
        409,
        "The prompt does not wait",
        "see those that do: GET /api/v1/sessions/{id}/prompts; one that is worked on is changed by "
        "another prompt of mode steer or interrupt",
    ),
    Code.QUESTION_NOT_OPEN: _Kind(
        409,
        "The session does not ask this",
        "look at the question in its view and decide anew: an id stands for exactly one command, "
        "one set of files, one moment",
    ),
    Code.SESSION_CLOSED: _Kind(
        409, "The session is closed", "reopen it: POST /api/v1/sessions/{id}/reopen with the prompt"
    ),
    Code.SESSION_OPEN: _Kind(
        409, "The session is open", "send the prompt to POST /api/v1/sessions/{id}/prompts"
    ),
    Code.SESSION_UNRECOVERABLE: _Kind(
        409,
        "The session ended without a result",
        "start a new session; the branch holds what was pushed",
    ),
    Code.BODY_TOO_LARGE: _Kind(
        413, "The body is too large", "put large texts into the repository and name them"
    ),
    Code.PROMPT_TOO_LARGE: _Kind(
        413, "The prompt is too large", "put large texts into the repository and name them"
    ),
    Code.MEDIA_TYPE_NOT_SUPPORTED: _Kind(
        415, "The body must be JSON", "send the header 'Content-Type: application/json'"
    ),
    Code.RANGE_NOT_SATISFIABLE: _Kind(
        416,
        "The range lies behind the end",
        "ask for less; the Content-Range header names the present size",
    ),
    Code.HOST_NOT_ALLOWED: _Kind(
        421, "The gateway does not answer to this host name", "list it in OVERNIGHT_ALLOWED_HOSTS"
    ),
    Code.INVALID_REQUEST: _Kind(
        422, "The request has wrong fields", "correct the listed fields and send it again"
    ),
    Code.MODEL_MISSING: _Kind(
        422,
        "No model is named",
        "give 'model', such as anthropic/claude-sonnet-4-5, or set OVERNIGHT_MODEL",
    ),
    Code.REPOSITORY_REFUSED: _Kind(
        422,
        "The repository cannot be used",
        "name an https or ssh URL of OVERNIGHT_GIT_HOSTS or a path under OVERNIGHT_LOCAL_ROOTS",
    ),
    Code.INTERNAL_ERROR: _Kind(
        500, "The gateway failed", "report it with the error id; the gateway's log holds the cause"
    ),
    Code.OUTCOME_UNKNOWN: _Kind(
        503, "Whether it was done is not known", "repeat the very same request: it is done once"
    ),
    Code.TEMPORAL_UNAVAILABLE: _Kind(
        503, "Temporal does not answer", "repeat the request; see /readyz"
    ),
    Code.STORE_UNAVAILABLE: _Kind(
        503, "The store cannot be used", "free space or repair it, then repeat the request"
    ),
    Code.TOO_MANY_SOCKETS: _Kind(
        503, "Too many sockets are open", "close some, or connect again in a while"
    ),
}

_RETRY_SECONDS = {Code.OUTCOME_UNKNOWN: 1, Code.TEMPORAL_UNAVAILABLE: 1, Code.STORE_UNAVAILABLE: 5}


class Answer(NamedTuple):
    """An error as HTTP carries it."""

    status: int
    headers: dict[str, str]
    body: bytes


class ProblemError(Exception):
    """A request that is answered with an error; says what, for which thing."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        hint: str | None = None,
        errors: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint
        self.errors = errors
        self.headers = headers or {}

    def problem(self, request_id: str) -> Problem:
        """Return the error as programs read it."""
        kind = _KINDS[self.code]
        return Problem(
            title=kind.title,
            status=kind.status,
            detail=self.detail[:DETAIL_CHARACTERS],
            code=self.code,
            hint=(self.hint or kind.hint)[:DETAIL_CHARACTERS],
            request_id=request_id,
            errors=tuple(error[:DETAIL_CHARACTERS] for error in self.errors[:ERRORS_LIMIT]),
        )

    def answer(self, request_id: str) -> Answer:
        """Render the error as an HTTP answer."""
        body = self.problem(request_id)
        headers = {"content-type": MEDIA_TYPE, **self.headers}
        if self.code in _RETRY_SECONDS:
            headers["retry-after"] = str(_RETRY_SECONDS[self.code])
        return Answer(body.status, headers, body.model_dump_json().encode())
