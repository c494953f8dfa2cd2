"""Real faults of real servers, through real litellm, for both wire formats it is used with."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from llmock.pytest_plugin import LLMock
from temporalio.exceptions import ApplicationError

from activities.model import chat, wire
from tests.activities.model.conftest import LITELLM_WARNINGS, settings_for
from tests.cli.running import wait_until
from workflows.contract.failures import Failure
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
    UserMessage,
)

pytestmark = LITELLM_WARNINGS

WAIT, RETRY = Failure.MODEL_WAIT, Failure.MODEL_RETRY
COMPACT, FATAL = Failure.MODEL_COMPACT, Failure.MODEL_FATAL

STALL_SECONDS = 0.4
"""How long a server that hangs is waited for."""

HANGING_SECONDS = 6.0
"""How long it hangs; its end waits for that."""

Fault = Callable[[LLMock], object]

LONG = {"command": "x" * 200}

FAULTS: list[tuple[str, Fault, Failure]] = [
    ("429", lambda server: server.rate_limit(retry_after=7), WAIT),
    (
        "quota",
        lambda server: server.fail(
            429, code="insufficient_quota", message="You exceeded your current quota"
        ),
        FATAL,
    ),
    ("500", lambda server: server.fail(500), RETRY),
    ("503", lambda server: server.fail(503), RETRY),
    ("529", lambda server: server.fail(529), RETRY),
    ("401", lambda server: server.fail(401), FATAL),
    ("403", lambda server: server.fail(403), FATAL),
    ("404", lambda server: server.fail(404), FATAL),
    ("413", lambda server: server.fail(413), COMPACT),
    ("overflow", lambda server: server.context_overflow(), COMPACT),
    ("disconnect", lambda server: server.disconnect(), RETRY),
    ("truncated", lambda server: server.truncate(), RETRY),
    (
        "truncated call",
        lambda server: server.call_tool("bash", LONG).truncate(after_chunks=2),
        RETRY,
    ),
    ("corrupt", lambda server: server.corrupt(), RETRY),
]

HANGS: dict[str, Fault] = {
    "between pieces": lambda server: server.stall(seconds=HANGING_SECONDS),
    "before the first byte": lambda server: server.delay(HANGING_SECONDS),
}

PROVIDERS = {"openai": "openai/gpt-4o", "anthropic": "anthropic/claude-sonnet-4-5"}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    """Name one of the wire formats."""
    return str(request.param)


def ignored(_text: str) -> None:
    """Hear a piece of an answer and make nothing of it."""


async def ask(llmock: LLMock, provider: str, **changes: object) -> wire.Answer:
    """Send one request to the server."""
    url = llmock.base_url(provider)
    settings = settings_for(Path("unused"), url, **changes)
    request = wire.request(PROVIDERS[provider], "be good", [UserMessage(text="list the files")])
    return await chat.ask(request, "1_1", settings, ignored)


@pytest.mark.parametrize(
    ("fault", "expected"), [item[1:] for item in FAULTS], ids=[item[0] for item in FAULTS]
)
async def test_a_fault_is_classified_after_one_request(
    llmock: LLMock, provider: str, fault: Fault, expected: Failure
):
    """Each fault becomes the class of who can act, and nothing repeats behind Temporal's back."""
    fault(llmock)
    with pytest.raises(ApplicationError) as caught:
        await ask(llmock, provider)
    assert caught.value.type == expected
    assert len(llmock.requests) == 1


@pytest.mark.parametrize("hang", HANGS)
async def test_a_server_that_hangs_is_given_up(llmock: LLMock, provider: str, hang: str):
    """Silence is a fault like any other, however the connection looks."""
    HANGS[hang](llmock)
    with pytest.raises(ApplicationError) as caught:
        await ask(llmock, provider, model_stall_seconds=STALL_SECONDS)
    assert caught.value.type == RETRY
    # The server notes a request when it has waited.
    await asyncio.to_thread(wait_until, lambda: llmock.requests)
    assert len(llmock.requests) == 1


async def test_the_named_wait_reaches_temporal(llmock: LLMock, provider: str):
    """Retry-After of a 429 becomes the delay of the next attempt."""
    llmock.rate_limit(retry_after=7)
    with pytest.raises(ApplicationError) as caught:
        await ask(llmock, provider)
    assert caught.value.next_retry_delay == timedelta(seconds=7)


async def test_a_call_longer_than_the_cap_is_given_up(llmock: LLMock, provider: str):
    """An answer that drips without ever stalling still ends."""
    llmock.reply("word " * 200).pace(100)
    with pytest.raises(ApplicationError, match=r"took longer than 0\.3 s") as caught:
        await ask(llmock, provider, model_cap_seconds=0.3)
    assert caught.value.type == RETRY


async def test_a_malformed_call_arrives_as_written(llmock: LLMock, provider: str):
    """Broken arguments are the model's mistake, not the provider's: the model hears of it."""
    llmock.call_tool("bash", {"command": "ls"}).break_tool_call()
    answer = await ask(llmock, provider)
    (call,) = answer.message.calls
    assert (call.name, call.arguments[:1]) == ("bash", "{")
    assert answer.finish == "tool_calls"


async def test_text_and_calls_arrive_whole(llmock: LLMock, provider: str):
    """Text, name and arguments come through the stream as the provider sent them."""
    llmock.call_tool("bash", {"command": "ls -la"}, text="Looking.")
    answer = await ask(llmock, provider)
    (call,) = answer.message.calls
    assert answer.message.text == "Looking."
    assert (call.name, call.arguments) == ("bash", '{"command": "ls -la"}')
    assert answer.input_tokens > 0
    assert answer.output_tokens > 0


async def test_a_listed_model_has_a_price(llmock: LLMock, provider: str):
    """What a known model's answer cost is part of the answer."""
    answer = await ask(llmock.reply("hello there"), provider)
    assert answer.cost_usd is not None
    assert answer.cost_usd > 0


async def test_an_unknown_price_fails_nothing(llmock: LLMock):
    """A model that nobody has priced answers like any other, at a cost of None."""
    llmock.reply("hello")
    settings = settings_for(Path("unused"), llmock.base_url("openai"))
    request = wire.request("openai/anything-local", "be good", [UserMessage(text="hi")])
    assert (await chat.ask(request, "1_1", settings, ignored)).cost_usd is None


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch):
    """Without a key nothing is asked, and a person learns which variable to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = settings_for(Path("unused"), "http://unused/v1").model_copy(
        update={"model_base_url": None}
    )
    request = wire.request("openai/gpt-4o", "be good", [UserMessage(text="hi")])
    with pytest.raises(ApplicationError, match="set a valid OPENAI_API_KEY") as caught:
        await chat.ask(request, "1_1", settings, ignored)
    assert caught.value.type == FATAL


async def test_a_local_endpoint_needs_no_key(llmock: LLMock, monkeypatch: pytest.MonkeyPatch):
    """A configured endpoint is asked even when no key is set for its provider."""
    monkeypatch.delenv("OPENAI_API_KEY")
    llmock.reply("hello")
    assert (await ask(llmock, "openai")).message.text == "hello"


async def test_nobody_listening_is_temporary(tmp_path: Path):
    """An endpoint that refuses connections is asked again."""
    settings = settings_for(tmp_path, "http://127.0.0.1:9/v1")
    request = wire.request("openai/x", "be good", [UserMessage(text="hi")])
    with pytest.raises(ApplicationError) as caught:
        await chat.ask(request, "1_1", settings, ignored)
    assert caught.value.type == RETRY


async def test_a_battered_transcript_goes_out_sound(llmock: LLMock):
    """Thinking comes back signed, each call has its result, cache marks are where they belong."""
    broken = RequestedCall(id="b", name="bash", arguments='{"comm')
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    said = AssistantMessage(
        text="",
        calls=(RequestedCall(id="a", name="bash", arguments='{"command": "ls"}'), broken),
        provider_fields=json.dumps({"thinking_blocks": [thinking]}),
    )
    history: list[Message] = [UserMessage(text="go"), said, ToolMessage(call_id="a", text="file")]
    settings = settings_for(Path("unused"), llmock.base_url("anthropic"))
    await chat.ask(wire.request(PROVIDERS["anthropic"], "s", history), "1_1", settings, ignored)
    (_, assistant, user) = llmock.last_request.body["messages"]
    mark = {"cache_control": {"type": "ephemeral"}}
    assert assistant["content"] == [
        thinking,
        {"type": "tool_use", "id": "a", "name": "bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "b", "name": "bash", "input": {"malformed": '{"comm'}},
    ]
    assert user["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": "file", **mark},
        {"type": "tool_result", "tool_use_id": "b", "content": wire.UNANSWERED, **mark},
    ]
