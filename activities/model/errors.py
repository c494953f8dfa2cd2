"""What went wrong between us and a provider, by who can act on it; knows no client library.

Providers and litellm agree on few exception classes, so the status and the words decide.
"""

import math
import re
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

from temporalio.exceptions import ApplicationError

from activities.model.hiding import HIDDEN, Sent
from workflows.contract.failures import Failure

WAIT_SECONDS_LEAST = 1.0
WAIT_SECONDS_MOST = 600.0
QUOTED_CHARACTERS = 300

TOO_MANY_REQUESTS = 429
TOO_LARGE = 413
NOT_FOUND = 404
SERVER_ERROR = 500
TIMED_OUT = 408
REDIRECTS = range(300, 400)
RETRYABLE = frozenset({408, 409, 425})

_QUOTA = re.compile(
    r"insufficient_quota|exceeded your current quota|credit balance is too low", re.IGNORECASE
)
_RETRY_IN = re.compile(r"retry in \d|retryDelay", re.IGNORECASE)
_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|context window|request_too_large"
    r"|request too large|prompt is too long|input is too long|too many input tokens"
    r"|input token count.{0,40}exceeds|string too long",
    re.IGNORECASE,
)
_DECLINED = re.compile(
    r"content_policy_violation|content_filter|content management policy|content filtering policy"
    r"|ResponsibleAIPolicyViolation|violat\w+ (our|the) \w+ polic|rejected.{0,30}safety system",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"missing (credentials|\w+ api key)|api_key client option must be set", re.IGNORECASE
)
_NO_PROVIDER = re.compile(r"LLM Provider NOT provided|model_not_found")
_SECRET = re.compile(r"\b((sk|pk|rk|gsk|xai)[-_]|AIza)[A-Za-z0-9_*-]{6,}")

_NOISE = re.compile(
    r"^(?:(?:litellm\.)?\w+(?:Error|Exception|Timeout)\b[: -]*)+"
    r"|(?: \w+:)? ?<[\w.]+ object at 0x[0-9a-f]+>"
    r"|\.? Handle with `[^`]*`\."
    r"| Original exception: .*"
)
"""What litellm and its client put around a provider's words."""

_ADVICE = {
    Failure.MODEL_WAIT: "the provider limits the rate; it is asked again later",
    Failure.MODEL_RETRY: "the provider failed; it is asked again",
    Failure.MODEL_COMPACT: "the transcript is longer than the model can read",
    Failure.MODEL_REFUSED: "it declines the content; change the prompt or the model",
}
DECLINED = "content_filter"
"""OpenAI's word for an answer that the provider or the model holds back."""

FAILED_FINISHES = frozenset(
    {
        "error",
        "network_error",
        "malformed_function_call",
        "malformed_response",
        "insufficient_system_resource",
    }
)
"""Providers' words, in lower case, for an answer that came to no good end."""


class Trouble(StrEnum):
    """What is wrong between us and a provider, for people."""

    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMIT = "rate limit"
    UNKNOWN_MODEL = "unknown model"
    UNREACHABLE = "unreachable"
    TIMEOUT = "no answer in time"
    PROVIDER = "provider failed"
    BROKEN = "broken answer"
    TOO_LONG = "too long"
    DECLINED = "declined"
    REDIRECTED = "redirected"
    REFUSED = "refused"


class Fault(NamedTuple):
    """What a failed request left: all that a class is decided by."""

    status: int | None
    text: str
    retry_after: str | None = None
    """The header of this name: seconds or an HTTP date."""

    host: str = ""
    """Name and port of the endpoint; empty when nothing was sent."""


def fault_of(error: BaseException) -> Fault:
    """Read a litellm exception by its attributes."""
    status = getattr(error, "status_code", None)
    # Its `response.headers` are empty (measured, litellm 1.101.6).
    headers = getattr(error, "litellm_response_headers", None) or {}
    retry_after = headers.get("retry-after")
    code = getattr(error, "code", None)
    return Fault(
        status=status if isinstance(status, int) else None,
        text=f"{error} {code or ''}".strip(),
        retry_after=None if retry_after is None else str(retry_after),
    )


def classify(fault: Fault) -> Failure:
    """Tell who can act: time, a shorter transcript, or a person."""
    is_out_of_quota = _QUOTA.search(fault.text) and not _RETRY_IN.search(fault.text)
    # An absent key arrives as status 500 (measured).
    if is_out_of_quota or _NO_KEY.search(fault.text):
        return Failure.MODEL_FATAL
    if _OVERFLOW.search(fault.text) or fault.status == TOO_LARGE:
        return Failure.MODEL_COMPACT
    if _DECLINED.search(fault.text) and not _is_passing(fault.status):
        return Failure.MODEL_REFUSED
    if fault.status == TOO_MANY_REQUESTS:
        return Failure.MODEL_WAIT
    return Failure.MODEL_RETRY if _is_passing(fault.status) else Failure.MODEL_FATAL


def trouble_of(fault: Fault) -> Trouble:
    """Name what is wrong."""
    if _QUOTA.search(fault.text) and not _RETRY_IN.search(fault.text):
        return Trouble.QUOTA
    if fault.status in (401, 403) or _NO_KEY.search(fault.text):
        return Trouble.AUTH
    if fault.status == NOT_FOUND or _NO_PROVIDER.search(fault.text):
        return Trouble.UNKNOWN_MODEL
    if fault.status in REDIRECTS:
        return Trouble.REDIRECTED
    failure = classify(fault)
    if failure is Failure.MODEL_RETRY:
        return _passing_trouble(fault)
    return _LASTING.get(failure, Trouble.REFUSED)


_LASTING = {
    Failure.MODEL_WAIT: Trouble.RATE_LIMIT,
    Failure.MODEL_COMPACT: Trouble.TOO_LONG,
    Failure.MODEL_REFUSED: Trouble.DECLINED,
}


def _passing_trouble(fault: Fault) -> Trouble:
    if fault.status is None:
        return Trouble.UNREACHABLE if fault.host else Trouble.BROKEN
    return Trouble.TIMEOUT if fault.status == TIMED_OUT else Trouble.PROVIDER


def _is_passing(status: int | None) -> bool:
    return status is None or status >= SERVER_ERROR or status in RETRYABLE


def translate(fault: Fault, model: str, keys: tuple[str, ...], sent: Sent) -> ApplicationError:
    """Turn a failed request into the error that the workflow understands.

    Args:
        fault: what it left.
        model: its name, for people.
        keys: the environment variables that can hold the provider's key.
        sent: what the request told the provider, which it may repeat.
    """
    failure = classify(fault)
    said = words_of(fault, sent)
    status = "" if fault.status is None else f" (status {fault.status})"
    message = f"model {model!r} gave no answer{status}: {_advice(failure, fault, keys)}; {said}"
    return make(failure, message, wait=retry_delay(fault))


def words_of(fault: Fault, sent: Sent) -> str:
    """Return what the provider said on one line, without what was sent or looks like a key.

    What litellm says around it is left out; what is too long ends with an ellipsis.
    """
    line = _SECRET.sub(HIDDEN, sent.hide(fault.text.partition("Traceback (most recent")[0]))
    words = _NOISE.sub("", line) or line
    return words if len(words) <= QUOTED_CHARACTERS else f"{words[: QUOTED_CHARACTERS - 1]}…"


def make(failure: Failure, message: str, wait: timedelta | None = None) -> ApplicationError:
    """Make an error; what no repetition mends is not retryable."""
    return ApplicationError(
        message,
        type=failure,
        non_retryable=failure not in (Failure.MODEL_WAIT, Failure.MODEL_RETRY),
        next_retry_delay=wait,
    )


def retry_delay(fault: Fault) -> timedelta | None:
    """Return how long the provider asks to wait, within 1 s and 10 min; none if it does not."""
    if fault.retry_after is None or classify(fault) not in (
        Failure.MODEL_WAIT,
        Failure.MODEL_RETRY,
    ):
        return None
    seconds = _seconds(fault.retry_after)
    if seconds is None:
        return None
    return timedelta(seconds=min(max(seconds, WAIT_SECONDS_LEAST), WAIT_SECONDS_MOST))


def objection(finish: str | None, *, is_empty: bool, model: str) -> ApplicationError | None:
    """Return why an answer that arrived cannot be used; none when it can.

    Args:
        finish: why the provider stopped, in OpenAI's words or its own; none when it never said.
        is_empty: whether there is neither text nor a tool call.
        model: its name, for people.
    """
    if finish is None:
        return make(Failure.MODEL_RETRY, f"the answer of model {model!r} was cut before its end")
    if finish == DECLINED:
        message = f"model {model!r} declined to answer: change the prompt or the model"
        return make(Failure.MODEL_REFUSED, message)
    if finish.lower() in FAILED_FINISHES:
        message = (
            f"the answer of model {model!r} failed at its provider (it stopped for {finish!r})"
        )
        return make(Failure.MODEL_RETRY, message)
    if is_empty:
        message = f"model {model!r} sent an empty answer (it stopped for {finish!r})"
        return make(Failure.MODEL_RETRY, message)
    return None


def _seconds(header: str) -> float | None:
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return None if math.isnan(seconds) else seconds
    try:
        return parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None


def _advice(failure: Failure, fault: Fault, keys: tuple[str, ...]) -> str:
    if failure is Failure.MODEL_FATAL:
        return _advice_to_person(fault, keys)
    if failure is Failure.MODEL_RETRY and fault.host and fault.status in (None, TIMED_OUT):
        what = "did not answer in time" if fault.status else "cannot be reached"
        return f"it {what} at {fault.host}; it is asked again"
    return _ADVICE[failure]


def _advice_to_person(fault: Fault, keys: tuple[str, ...]) -> str:
    if fault.status in REDIRECTS:
        return (
            f"{fault.host} sends requests elsewhere, where the key must not go;"
            " set OVERNIGHT_MODEL_BASE_URL to the endpoint itself"
        )
    if _QUOTA.search(fault.text):
        return "the account's quota is used up; raise it with the provider"
    if fault.status in (401, 403) or _NO_KEY.search(fault.text):
        return f"set a valid {' or '.join(keys)} in the environment of `overnight up`"
    if fault.status == NOT_FOUND or _NO_PROVIDER.search(fault.text):
        return "check the model's name (such as `anthropic/…`) and OVERNIGHT_MODEL_BASE_URL"
    return "the request was refused; see the provider's words"
