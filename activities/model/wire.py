"""Transcripts as the chat completions interface wants them, and its answers as ours; no IO.

Whatever a transcript holds, what is sent obeys the providers' rules: every tool call is followed
by its answer, arguments are JSON objects, names and ids are plain, no text is blank.
"""

import json
import re

from activities.model.tools import Json, joined, schemas
from workflows.contract.base import Frozen
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
)

TEXT_LIMIT = 100_000
"""Characters of one message; a longer one is sent without its middle, which it states."""

BROKEN_ARGUMENTS_LIMIT = 2_000
CACHED_MESSAGES = 2

UNANSWERED = (
    "[No result: this call was interrupted before it was answered. It may have run, in part or"
    " whole; look before you repeat it.]"
)
BLANK = "[empty]"
LEFT_OUT = "[{:,} characters of output left out to save space; run it again if you need it]"
SHORT_CHARACTERS = 200
"""A tool result shorter than this is not worth leaving out."""

_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNPLAIN = re.compile(r"[^A-Za-z0-9_-]")


class Request(Frozen):
    """What a model is asked; its bytes name the journaled answer."""

    model: str
    messages: tuple[Json, ...]
    tools: tuple[Json, ...]

    def canonical(self) -> bytes:
        """Return the request as JSON; equal requests give equal bytes."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":")).encode()


class Answer(Frozen):
    """One complete answer of a provider, as the journal keeps it."""

    message: AssistantMessage
    finish: str
    """Why the model stopped, in OpenAI's words: `stop`, `tool_calls`, `length`."""

    input_tokens: int
    """Includes what was read from and written to the provider's cache."""

    output_tokens: int
    """Both are estimated when the provider does not say."""

    cost_usd: float | None
    seconds: float


def nothing(finish: str) -> Answer:
    """Make the answer that stands in the journal for none."""
    return Answer(
        message=AssistantMessage(text=""),
        finish=finish,
        input_tokens=0,
        output_tokens=0,
        cost_usd=None,
        seconds=0.0,
    )


def request(model: str, system: str, history: list[Message]) -> Request:
    """Build the request for the next step.

    But for the cache marks, a longer history gives a request that begins with the same bytes.
    """
    messages: list[Json] = [{"role": "system", "content": system}]
    position = 0
    while position < len(history):
        message = history[position]
        end = position + 1
        if isinstance(message, AssistantMessage):
            while end < len(history) and not isinstance(history[end], AssistantMessage):
                end += 1
            messages += _exchange(message, history[position + 1 : end])
        else:
            messages += _loose(message)
        position = end
    if is_claude(model):
        _mark_for_cache(messages)
    return Request(model=model, messages=tuple(messages), tools=schemas())


def blank(history: list[Message], count: int) -> list[Message]:
    """Leave long tool results out of the first `count` messages; all others stay as they are."""
    return [_blanked(message) for message in history[:count]] + history[count:]


def _blanked(message: Message) -> Message:
    if not isinstance(message, ToolMessage) or len(message.text) < SHORT_CHARACTERS:
        return message
    return message.model_copy(update={"text": LEFT_OUT.format(len(message.text))})


def is_claude(model: str) -> bool:
    """Tell whether a model wants explicit cache marks; on others they cost money."""
    return "claude" in model.lower()


def assistant_message(raw: Json, step: str) -> AssistantMessage:
    """Read a provider's message; its calls get ids that are plain and unique within `step`.

    Fields that the provider wants back, signed thinking above all, are kept as they came.
    """
    # Half a character that a model split between two tokens can be neither kept nor sent.
    plain = json.loads(joined(json.dumps(raw, ensure_ascii=False)))
    calls: list[RequestedCall] = []
    extras: list[Json] = []
    taken: set[str] = set()
    for number, item in enumerate(plain.get("tool_calls") or []):
        call, extra = _read_call(item, f"call_{step}_{number}", taken)
        taken.add(call.id)
        calls.append(call)
        extras.append(extra)
    kept = {key: value for key, value in plain.items() if key not in _MESSAGE_FIELDS and value}
    if any(extras):
        kept["tool_calls"] = extras
    return AssistantMessage(
        text=str(plain.get("content") or ""),
        calls=tuple(calls),
        provider_fields=json.dumps(kept, sort_keys=True, separators=(",", ":")),
    )


_MESSAGE_FIELDS = frozenset({"role", "content", "tool_calls", "function_call"})
_CALL_FIELDS = frozenset({"id", "type", "index", "function"})


def _read_call(item: Json, our_id: str, taken: set[str]) -> tuple[RequestedCall, Json]:
    function = item.get("function")
    said = function if isinstance(function, dict) else {}
    given = str(item.get("id") or "")
    extra = {key: value for key, value in item.items() if key not in _CALL_FIELDS and value}
    is_plain = _PLAIN_ID.fullmatch(given) is not None
    if given and not is_plain:
        # Some providers carry signatures in overlong ids: they get their own id back.
        extra["id"] = given
    call = RequestedCall(
        id=given if is_plain and given not in taken else our_id,
        name=str(said.get("name") or ""),
        arguments=str(said.get("arguments") or ""),
    )
    return call, extra


def _exchange(message: AssistantMessage, following: list[Message]) -> list[Json]:
    fields = json.loads(message.provider_fields)
    extras = fields.pop("tool_calls", None) or [{} for _ in message.calls]
    sent: Json = {"role": "assistant", "content": _not_blank(message.text), **fields}
    if not message.calls:
        return [sent, *(wired for item in following for wired in _loose(item))]
    sent["content"] = message.text if message.text.strip() else None
    sent["tool_calls"] = [
        _call(call, extra) for call, extra in zip(message.calls, extras, strict=True)
    ]
    results: list[Json] = []
    rest = list(following)
    for call, extra in zip(message.calls, extras, strict=True):
        text = _take_answer(rest, call.id)
        results.append({"role": "tool", "tool_call_id": extra.get("id", call.id), "content": text})
    return [sent, *results, *(wired for item in rest for wired in _loose(item))]


def _take_answer(rest: list[Message], call_id: str) -> str:
    for position, item in enumerate(rest):
        if isinstance(item, ToolMessage) and item.call_id == call_id:
            del rest[position]
            return _not_blank(elide(item.text))
    return UNANSWERED


def _loose(message: Message) -> list[Json]:
    if isinstance(message, AssistantMessage):
        return _exchange(message, [])
    text = elide(message.text)
    if isinstance(message, ToolMessage):
        # Providers refuse an answer without its call, so it is told instead.
        text = f"[Result of the earlier call {message.call_id}]\n{text}"
    return [{"role": "user", "content": _not_blank(text)}]


def _call(call: RequestedCall, extra: Json) -> Json:
    name = _UNPLAIN.sub("_", call.name)[:64] or "unknown"
    function = {"name": name, "arguments": _object(call.arguments)}
    return {"id": call.id, "type": "function", "function": function, **extra}


def _object(arguments: str) -> str:
    # Adapters of several providers parse the arguments of old calls and fail on broken ones.
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return arguments
    return json.dumps({"malformed": arguments[:BROKEN_ARGUMENTS_LIMIT]})


def elide(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return the text, or `limit` characters from both its ends and how many are left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out:,} characters elided …]\n{text[-half:]}"


def _not_blank(text: str) -> str:
    return text if text.strip() else BLANK


def _mark_for_cache(messages: list[Json]) -> None:
    said = [message for message in messages[1:] if message["role"] != "assistant"]
    for message in (messages[0], *said[-CACHED_MESSAGES:]):
        mark = {"type": "ephemeral"}
        if message["role"] == "tool":
            message["cache_control"] = mark
        else:
            message["content"] = [
                {"type": "text", "text": message["content"], "cache_control": mark}
            ]
