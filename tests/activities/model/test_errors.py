from datetime import timedelta
from email.utils import formatdate

import pytest

from activities.model.errors import Fault, classify, fault_of, objection, retry_delay, translate
from activities.model.hiding import Sent
from workflows.contract.failures import Failure

WAIT, RETRY = Failure.MODEL_WAIT, Failure.MODEL_RETRY
COMPACT, FATAL = Failure.MODEL_COMPACT, Failure.MODEL_FATAL
REFUSED = Failure.MODEL_REFUSED


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (429, "Rate limit exceeded.", WAIT),
        (429, "You exceeded your current quota", FATAL),
        (429, "insufficient_quota", FATAL),
        (429, "You exceeded your current quota … Please retry in 31.2s.", WAIT),
        (429, "Request too large for gpt-4o on tokens per min", COMPACT),
        (400, "Your credit balance is too low to access the Anthropic API", FATAL),
        (500, "Internal server error.", RETRY),
        (503, "Service unavailable.", RETRY),
        (529, "Service overloaded.", RETRY),
        (408, "Request timed out.", RETRY),
        (None, "Connection error.", RETRY),
        (401, "Unauthorized.", FATAL),
        (403, "Forbidden.", FATAL),
        (404, "Resource not found.", FATAL),
        (400, "Bad request.", FATAL),
        (422, "Unprocessable.", FATAL),
        (413, "Payload too large.", COMPACT),
        (400, '{"type":"request_too_large"}', COMPACT),
        (400, "This model's maximum context length is 8192 tokens", COMPACT),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", COMPACT),
        (400, "context_length_exceeded", COMPACT),
        (400, "The input token count (1200000) exceeds the maximum", COMPACT),
        (500, "Missing credentials. Please pass an `api_key`", FATAL),
        (500, "Missing Gemini API key.", FATAL),
        (400, "LLM Provider NOT provided.", FATAL),
        (400, "content_policy_violation", REFUSED),
        (400, "triggering Azure OpenAI's content management policy", REFUSED),
        (400, "Your request was rejected as a result of our safety system.", REFUSED),
        (400, "flagged as potentially violating our usage policy", REFUSED),
        (503, "the content_filter is down", RETRY),
        (307, "moved", FATAL),
    ],
)
def test_status_and_words_decide_the_class(status: int | None, text: str, expected: Failure):
    """Whoever can act on a fault is told by its class, whatever exception carried it."""
    assert classify(Fault(status, text)) == expected


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (429, "7", timedelta(seconds=7)),
        (429, "0.2", timedelta(seconds=1)),
        (429, "86400", timedelta(minutes=10)),
        (503, "3", timedelta(seconds=3)),
        (429, formatdate(0, usegmt=True), timedelta(seconds=1)),
        (429, "soon", None),
        (429, "nan", None),
        (429, "inf", timedelta(minutes=10)),
        (429, "Mon, 01 Jan 0001 00:00:00 -0000", timedelta(seconds=1)),
        (429, "Mon, 32 Foo 0001 00:00:00 -0000", None),
        (429, None, None),
        (401, "7", None),
    ],
)
def test_the_named_wait_is_kept_within_bounds(
    status: int, header: str | None, expected: timedelta | None
):
    """Retry-After is obeyed between 1 s and 10 minutes; nonsense leaves it to the policy."""
    assert retry_delay(Fault(status, "no", header)) == expected


class RefusalError(Exception):
    """An exception shaped like litellm's."""

    code = "invalid_api_key"

    def __init__(self, message: str, status_code: int = 401) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.litellm_response_headers = {"retry-after": "5"}


def test_a_fault_is_read_by_its_attributes():
    """Status, code and header are found where litellm 1.101.6 leaves them."""
    assert fault_of(RefusalError("no")) == Fault(401, "no invalid_api_key", "5")


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (401, "Unauthorized", "set a valid OPENAI_API_KEY"),
        (404, "not found", "check the model's name"),
        (400, "insufficient_quota", "raise it with the provider"),
        (429, "slow down", "asked again later"),
        (500, "oops", "the provider failed"),
    ],
)
def test_a_message_says_what_to_do(status: int, text: str, words: str):
    """People read which model failed, how, and what they can do; never a key."""
    error = RefusalError(f"{text} for sk-proj-abcdefghijkl", status)
    message = translate(fault_of(error), "openai/x", ("OPENAI_API_KEY",), Sent()).message
    assert words in message
    assert f"model 'openai/x' gave no answer (status {status})" in message
    assert "sk-proj-abcdefghijkl" not in message


_SSL = "ssl:<ssl.SSLContext object at 0x7fadc3158830>"
_DOWN = f"Cannot connect to host 127.0.0.1:9 {_SSL} [Connect call failed ('127.0.0.1', 9)]"
_PLAIN = "Cannot connect to host 127.0.0.1:9 [Connect call failed ('127.0.0.1', 9)]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"litellm.InternalServerError: InternalServerError: OpenAIException - {_DOWN}", _PLAIN),
        (f"litellm.APIError: XException - {_DOWN}. Handle with `litellm.APIError`.", _PLAIN),
        (f"litellm.AError: litellm.BError: {_DOWN} Original exception: BError: no", _PLAIN),
        (
            "litellm.APIConnectionError: OllamaException",
            "litellm.APIConnectionError: OllamaException",
        ),
        ("The server had an Error: it is busy", "The server had an Error: it is busy"),
        ("Server disconnected <asyncio.Task object at 0x7f>", "Server disconnected"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_a_provider_is_quoted_without_what_clients_say_around_it(text: str, words: str):
    """No names of exceptions, no addresses of objects; what was cut looks cut."""
    said = translate(Fault(500, text, host="127.0.0.1:9"), "m", (), Sent()).message
    assert said.partition("it is asked again; ")[2] == words


@pytest.mark.parametrize(
    ("status", "non_retryable"), [(429, False), (500, False), (401, True), (413, True), (302, True)]
)
def test_what_no_repetition_mends_is_not_repeated(status: int, *, non_retryable: bool):
    """Waiting and failing providers are asked again by Temporal; the rest ends the activity."""
    error = RefusalError("no", status)
    assert translate(fault_of(error), "m", (), Sent()).non_retryable is non_retryable


@pytest.mark.parametrize(
    ("finish", "is_empty", "expected"),
    [
        (None, False, RETRY),
        ("stop", True, RETRY),
        ("length", True, RETRY),
        ("content_filter", False, REFUSED),
        ("ERROR", False, RETRY),
        ("MALFORMED_FUNCTION_CALL", True, RETRY),
        ("stop", False, None),
        ("length", False, None),
        ("tool_calls", False, None),
    ],
)
def test_an_unusable_answer_is_no_answer(
    finish: str | None, expected: Failure | None, *, is_empty: bool
):
    """A cut stream, an empty answer and a declined one are failures, never short answers."""
    found = objection(finish, is_empty=is_empty, model="m")
    assert (None if found is None else found.type) == expected
