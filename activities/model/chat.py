"""One streamed request through litellm; the only module that imports it (2-5 s, 175 MB).

Only the model worker, which alone holds the providers' keys, imports this module. Litellm's own
retries are off: Temporal repeats.
"""

import asyncio
import functools
import logging
import os
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import NamedTuple

# Litellm reads these while it is imported; without them it fetches its price list from the
# network and may load a `.env` of the current folder (measured, 1.101.6).
os.environ.update(  # noqa: TID251  # for a library, not for us
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_MODE="PRODUCTION",
    LITELLM_LOG="ERROR",
    # Litellm then sends to OpenAI-like providers itself. The openai library would walk through
    # every message of the request: 40 of 83 ms at 100 steps (measured).
    EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER="True",
)

import litellm
import structlog
from litellm.exceptions import LITELLM_EXCEPTION_TYPES
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
from litellm.llms.openai.common_utils import BaseOpenAILLM
from litellm.types.utils import ModelResponse, ModelResponseStream
from temporalio.exceptions import ApplicationError

from activities.model import errors, fenced, listening, wire
from activities.model.listening import Heard
from activities.model.tools import Json
from runtime.settings import Settings
from workflows.contract.failures import Failure
from workflows.contract.transcript import AssistantMessage

litellm.suppress_debug_info = True  # it prints advertisements on stdout otherwise
litellm.disable_token_counter = True  # it takes seconds of the event loop; we estimate instead
logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)  # its errors quote prompts

log = structlog.get_logger()

UNLISTED_CLAUDE_OUTPUT_TOKENS = 16_384
"""Litellm would cut the answers of a Claude it does not list at 4,096."""

CHARACTERS_PER_TOKEN = 4

MOST_TOKENS = 1_000_000_000
MOST_DOLLARS = 1_000_000
"""Of one request; a provider that says more is not believed, as if it had said nothing."""

_UNPLAIN_NAME = re.compile(r"[^\x21-\x7e]|^$")
_FAILURES: tuple[type[Exception], ...] = (*LITELLM_EXCEPTION_TYPES, ValueError, OSError)


def _listen_to(owner: type, name: str) -> None:
    """Attach to every client that litellm makes with this static method or method."""
    make = getattr(owner, name)

    @functools.wraps(make)
    def made(*arguments: object, **options: object) -> object:
        return listening.attach(make(*arguments, **options))

    is_static = isinstance(vars(owner)[name], staticmethod)
    setattr(owner, name, staticmethod(made) if is_static else made)


_listen_to(AsyncHTTPHandler, "create_client")
_listen_to(BaseOpenAILLM, "_get_async_http_client")


class _Reply(NamedTuple):
    response: ModelResponse
    finish: str | None
    """None when the provider never said that it was done; litellm then invents `stop`."""


async def ask(
    request: wire.Request, step: str, settings: Settings, said: Callable[[str], None]
) -> wire.Answer:
    """Send one request and return the complete answer; never a cut or an empty one.

    Args:
        request: what is asked.
        step: makes the ids of calls that the provider named badly.
        settings: endpoint, stall and cap.
        said: called with each piece of the answer's text, in order; not with what is thought.

    Raises:
        ApplicationError: `model_wait`, `model_retry`, `model_compact`, `model_refused` or
            `model_fatal`.
    """
    started = time.monotonic()
    _check(request.model, settings)
    heard = listening.begin(request.messages)
    try:
        async with asyncio.timeout(settings.model_cap_seconds):
            reply = await _stream(request, settings, said)
        message = await asyncio.to_thread(_message, reply, step)
        await asyncio.to_thread(_object, reply, message, request.model, heard)
    except ApplicationError:
        raise
    except TimeoutError:
        limit = f"{settings.model_cap_seconds:g} s"
        reason = f"model {request.model!r} took longer than {limit}; it is asked again"
        heard.fault = errors.Fault(errors.TIMED_OUT, reason, host=heard.host)
        failed = errors.make(Failure.MODEL_RETRY, reason)
    except Exception as error:
        if not isinstance(error, _FAILURES):
            log.warning("model.client_failed", exc_info=True)
        heard.fault = heard.correct(errors.fault_of(error))
        names = key_names(request.model)
        # Takes seconds where much was sent.
        failed = await asyncio.to_thread(
            errors.translate, heard.fault, request.model, names, heard.sent
        )
    else:
        return _answer(reply, message, request, time.monotonic() - started)
    # Out here, since an error brings along the one that it was raised from: a provider's words,
    # which may repeat the key and the prompt, would get into logs, traces and Temporal's history.
    raise failed


def _message(reply: _Reply, step: str) -> AssistantMessage:
    raw = reply.response.choices[0].message.model_dump(exclude_none=True)
    return fenced.find_call(wire.assistant_message(raw, step), step)


def _object(reply: _Reply, message: AssistantMessage, model: str, heard: Heard) -> None:
    if heard.error:
        heard.fault = heard.correct(errors.Fault(None, ""))
        raise errors.translate(heard.fault, model, key_names(model), heard.sent)
    is_empty = not message.text.strip() and not message.calls
    if is_empty and heard.content_type not in ("", "text/event-stream"):
        reason = (
            f"{heard.host} answered with {heard.sent.hide(heard.content_type)!r} instead of a"
            " stream of events; check OVERNIGHT_MODEL_BASE_URL"
        )
        raise errors.make(Failure.MODEL_RETRY, reason)
    finish = _finish(reply.finish, heard)
    shown = None if finish is None else heard.sent.hide(finish)
    objection = errors.objection(shown, is_empty=is_empty, model=model)
    if objection is not None:
        raise objection


def _finish(finish: str | None, heard: Heard) -> str | None:
    """Take OpenAI's word for the end if there was one at all, but not for a bad end."""
    if heard.is_declined:
        return errors.DECLINED
    if not heard.has_known_events:
        return finish
    is_bad = (heard.finish or "").lower() in errors.FAILED_FINISHES
    return heard.finish if is_bad or heard.finish is None else finish


def context_limit(model: str, settings: Settings) -> int:
    """Return how many input tokens a model takes: litellm's word, else the setting's, else 0."""
    # One entry is prose.
    known = _listed(model).get("max_input_tokens")
    return int(known) if isinstance(known, int | float) else settings.model_context_tokens


def price(model: str) -> tuple[float, float] | None:
    """Return US dollars for a million tokens in and out, where litellm knows them."""
    listed = _listed(model)
    each = (listed.get("input_cost_per_token"), listed.get("output_cost_per_token"))
    into, out = (cost if isinstance(cost, int | float) else 0.0 for cost in each)
    return (into * 1e6, out * 1e6) if into or out else None


def _listed(model: str) -> Json:
    # Not `get_model_info`, which asks some servers over the network.
    return litellm.model_cost.get(model) or litellm.model_cost.get(model.partition("/")[2]) or {}


async def _stream(request: wire.Request, settings: Settings, said: Callable[[str], None]) -> _Reply:
    stream = await litellm.acompletion(
        model=request.model,
        messages=list(request.messages),
        tools=list(request.tools),
        stream=True,
        stream_options={"include_usage": True},
        # The client libraries would repeat on their own, hidden from Temporal and the journal.
        max_retries=0,
        num_retries=0,
        # Counts from the last byte received (measured): it finds stalls, not long answers.
        timeout=settings.model_stall_seconds,
        drop_params=True,
        **_endpoint(request.model, settings),
        **_output_limit(request.model),
    )
    if not isinstance(stream, CustomStreamWrapper):
        message = f"litellm answered with {type(stream).__name__} instead of a stream"
        raise TypeError(message)
    chunks = []
    async with aclosing(stream):
        async for chunk in stream:
            chunks.append(chunk)
            said(_text(chunk))
    response = await asyncio.to_thread(litellm.stream_chunk_builder, chunks)
    if not isinstance(response, ModelResponse):
        return _Reply(ModelResponse(), None)
    return _Reply(response, stream.received_finish_reason)


def _text(chunk: ModelResponseStream) -> str:
    return "".join(choice.delta.content or "" for choice in chunk.choices[:1])


def _endpoint(model: str, settings: Settings) -> Json:
    if settings.model_base_url is None:
        return {}
    missing = litellm.validate_environment(model)["missing_keys"]
    # Local servers want no key, but the client library refuses to start without one.
    key = {"api_key": "none"} if missing else {}
    return {"api_base": settings.model_base_url, **key}


def _check(model: str, settings: Settings) -> None:
    """Refuse what the provider would: without its library litellm sends a request with no key."""
    if _UNPLAIN_NAME.search(model):
        reason = f"model {model!r} cannot be asked: its name holds a space or an odd character"
        raise errors.make(Failure.MODEL_FATAL, reason)
    if settings.model_base_url is not None or model.partition("/")[0] != "openai":
        return
    missing = litellm.validate_environment(model)["missing_keys"]
    if missing:
        advice = f"set a valid {' or '.join(missing)} in the environment of `overnight up`"
        raise errors.make(Failure.MODEL_FATAL, f"model {model!r} cannot be asked: {advice}")


def _output_limit(model: str) -> Json:
    if not wire.is_claude(model) or _is_listed(model):
        return {}
    return {"max_tokens": UNLISTED_CLAUDE_OUTPUT_TOKENS}


def _is_listed(model: str) -> bool:
    return model in litellm.model_cost or model.partition("/")[2] in litellm.model_cost


def key_names(model: str) -> tuple[str, ...]:
    """Return the variables that can hold the provider's key, those that are not set first."""
    missing = litellm.validate_environment(model)["missing_keys"]
    return tuple(missing) or (f"{model.partition('/')[0].upper()}_API_KEY",)


def _answer(
    reply: _Reply, message: AssistantMessage, request: wire.Request, seconds: float
) -> wire.Answer:
    usage = getattr(reply.response, "usage", None)
    said = len(message.model_dump_json()) // CHARACTERS_PER_TOKEN
    asked = len(request.canonical()) // CHARACTERS_PER_TOKEN
    return wire.Answer(
        message=message,
        finish=reply.finish or "",
        input_tokens=_tokens(getattr(usage, "prompt_tokens", 0)) or asked,
        output_tokens=_tokens(getattr(usage, "completion_tokens", 0)) or said,
        cost_usd=_cost(getattr(usage, "cost", None)),
        seconds=round(seconds, 3),
    )


def _tokens(said: object) -> int:
    """Return a provider's count; 0 when it is none that can be."""
    return said if isinstance(said, int) and 0 < said <= MOST_TOKENS else 0


def _cost(said: object) -> float | None:
    """Return a provider's price; none when it is none that can be, or 0.

    Litellm prices an unlisted model at 0; free and unknown are both counted by tokens.
    """
    if isinstance(said, int | float) and 0 < said <= MOST_DOLLARS:
        return float(said)
    return None
