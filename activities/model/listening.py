"""What a provider really sent, heard below litellm: its status, its events, why it stopped.

Litellm 1.101.6 skips an event that is no JSON and a piece of text that holds `[DONE]`, cuts lines
at U+2028, takes `error` for a good end and `[DONE]` for any, forgets the type of an error in a
stream, and follows a redirect with key and prompt (all measured). A command with a piece missing
may be another command, so events pass through here first.
"""

import json
from collections.abc import AsyncIterator
from contextvars import ContextVar

import httpx

from activities.model.errors import SERVER_ERROR, TIMED_OUT, Fault
from activities.model.hiding import Sent
from activities.model.tools import Json

FINISH = b"[DONE]"
EVENT_TYPES = frozenset({"text/event-stream", "text/plain", ""})
"""Not every local server names the type of its stream rightly."""

STATUSES = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_policy_violation": 400,
    "content_filter": 400,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
}
"""Statuses that the errors of OpenAI and Anthropic have when no stream has begun."""

GOOD_STATUSES = range(200, 300)
BAD_STATUSES = range(400, 600)
LINE_LIMIT_BYTES = 16 * 1024 * 1024


class Heard:
    """What was noticed of one request and its response."""

    def __init__(self, messages: tuple[Json, ...] = ()) -> None:
        self.sent = Sent(messages)
        self.fault: Fault | None = None
        """What the request failed of, once it has; its text may repeat what was sent."""

        self.host = ""
        """Name and port that was asked; empty when nothing was sent."""

        self.status: int | None = None
        """Of the response, or of the error event in it; none when there was no response."""

        self.retry_after: str | None = None
        self.content_type = ""
        self.error = ""
        """Type and message of an error event."""

        self.finish: str | None = None
        """The provider's own word for why it stopped."""

        self.has_known_events = False
        """Whether the stream is in a format whose word for the end would have been found."""

        self.is_declined = False
        """Whether the model said, in OpenAI's form, that it declines."""

        self.has_usage = False
        """Whether the provider counted tokens; without, litellm counts by itself in silence."""

    def correct(self, fault: Fault) -> Fault:
        """Return the fault with what was heard in the place of what litellm makes of it."""
        if self.error:
            return Fault(self.status, self.error, self.retry_after, self.host)
        if not self.host:
            return fault
        if self.status is None:
            # Litellm says 500 of a connection that was refused.
            status = fault.status if fault.status == TIMED_OUT else None
            return fault._replace(status=status, host=self.host)
        if self.status in GOOD_STATUSES:
            # Litellm quotes what the model said, whose words must not decide.
            return Fault(None, "the answer broke off, or could not be read")
        return Fault(self.status, fault.text, self.retry_after or fault.retry_after, self.host)


class BrokenStreamError(httpx.RemoteProtocolError):
    """A provider sent an event that cannot be read whole."""


_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)


def begin(messages: tuple[Json, ...]) -> Heard:
    """Return what will have been heard of the requests that this task sends from now on."""
    heard = Heard(messages)
    _heard.set(heard)
    return heard


def last() -> Heard:
    """Return what was heard of the requests since this task's last `begin`."""
    return _heard.get() or Heard()


def attach(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Make a client tell what it hears, check every event and follow no redirect."""
    client.follow_redirects = False
    # A compressed event could not be looked into; few servers compress them.
    client.headers["accept-encoding"] = "identity"
    hooks = client.event_hooks
    client.event_hooks = {
        "request": [*hooks["request"], _note_request],
        "response": [*hooks["response"], _note_response],
    }
    return client


async def _note_request(request: httpx.Request) -> None:
    heard = _heard.get()
    if heard is not None:
        heard.host = request.url.netloc.decode("ascii", "replace")
        heard.sent.note_keys(request.url, request.headers)


async def _note_response(response: httpx.Response) -> None:
    heard = _heard.get()
    if heard is None:
        return
    heard.status = response.status_code
    heard.retry_after = response.headers.get("retry-after")
    heard.content_type = response.headers.get("content-type", "").partition(";")[0].strip()
    is_readable = "content-encoding" not in response.headers
    stream = response.stream
    if (
        heard.content_type in EVENT_TYPES
        and is_readable
        and isinstance(stream, httpx.AsyncByteStream)
    ):
        response.stream = _Events(stream, heard)


class _Events(httpx.AsyncByteStream):
    """A stream of events, passed on in whole lines of plain ASCII."""

    def __init__(self, stream: httpx.AsyncByteStream, heard: Heard) -> None:
        self._stream = stream
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        rest = b""
        async for piece in self._stream:
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > LINE_LIMIT_BYTES:
                message = f"an event is longer than {LINE_LIMIT_BYTES} bytes"
                raise BrokenStreamError(message)
            if lines:
                yield b"".join(self._line(line) + b"\n" for line in lines)
        if rest:
            yield self._line(rest)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _line(self, line: bytes) -> bytes:
        name, colon, value = line.partition(b":")
        value = value.strip()
        if name != b"data" or not colon or value in (b"", FINISH):
            return line
        try:
            event = json.loads(value)
        except (ValueError, RecursionError) as error:
            message = "an event is no JSON"
            raise BrokenStreamError(message) from error
        if isinstance(event, dict):
            self._note(event)
        if value.isascii() and FINISH not in value:
            return line
        plain = json.dumps(event).encode()
        return b"data: " + plain.replace(FINISH, b"\\u005bDONE]")

    def _note(self, event: Json) -> None:
        error = event.get("error")
        if error:
            self._note_error(error if isinstance(error, dict) else {"message": str(error)})
        finish = _finish(event)
        if finish is not None:
            self._heard.finish = finish
        if "choices" in event or event.get("type") == "message_start":
            self._heard.has_known_events = True
        if any(isinstance(item, dict) and item.get("refusal") for item in _deltas(event)):
            self._heard.is_declined = True
        if _has_usage(event):
            self._heard.has_usage = True

    def _note_error(self, error: Json) -> None:
        words = [error.get("code"), error.get("type"), error.get("message")]
        codes = [word for word in words[:2] if isinstance(word, int) and word in BAD_STATUSES]
        named = [STATUSES[word] for word in words[:2] if isinstance(word, str) and word in STATUSES]
        self._heard.status = (*codes, *named, SERVER_ERROR)[0]
        said = dict.fromkeys(str(word) for word in words if word)
        self._heard.error = " ".join(said) or json.dumps(error)


def _deltas(event: Json) -> list[object]:
    choices = event.get("choices")
    items = choices if isinstance(choices, list) else []
    return [item.get("delta") for item in items if isinstance(item, dict)]


def _has_usage(event: Json) -> bool:
    """Tell whether tokens are counted here, as OpenAI, Anthropic and Gemini do."""
    message = event.get("message")
    inside = message.get("usage") if isinstance(message, dict) else None
    return any((event.get("usage"), event.get("usageMetadata"), inside))


def _finish(event: Json) -> str | None:
    """Find why the model stopped, as OpenAI, Anthropic and Gemini say it."""
    delta = event.get("delta")
    places: list[object] = [delta.get("stop_reason")] if isinstance(delta, dict) else []
    for key, name in (("choices", "finish_reason"), ("candidates", "finishReason")):
        items = event.get(key)
        listed = items if isinstance(items, list) else []
        places += [item.get(name) for item in listed if isinstance(item, dict)]
    return next((str(place) for place in places if place), None)
