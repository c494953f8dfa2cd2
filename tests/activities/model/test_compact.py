"""Summing up, through real litellm, a real store and a real socket."""

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.model import compaction
from activities.model.adapter import LiteLlmModel
from runtime.store.base import Store
from runtime.transcript import Manifest, Transcripts
from tests.activities.model.conftest import CALL, FACTS, LITELLM_WARNINGS, SESSION, settings_for
from tests.activities.model.killed import calling
from tests.activities.model.raw_server import (
    HANG,
    OPENAI,
    WIRES,
    RawServer,
    Response,
    Wire,
    base_url,
    serving,
    streamed,
    whole,
)
from workflows.contract.failures import Failure
from workflows.contract.model import CompactTranscript
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
    TranscriptHead,
    UserMessage,
)

pytestmark = LITELLM_WARNINGS

PROMPT = UserMessage(text="mend the parser", from_person=True)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something where the providers' keys belong."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")


def conversation() -> list[Message]:
    messages: list[Message] = [PROMPT]
    for number in range(40):
        call = RequestedCall(id=f"c{number}", name="bash", arguments='{"command": "make"}')
        messages.append(AssistantMessage(text=f"step {number}", calls=(call,)))
        messages.append(ToolMessage(call_id=call.id, text=f"result {number} " * 40))
    return messages


async def request_for(store: Store, wire: Wire) -> CompactTranscript:
    head = await Transcripts(store).append(TranscriptHead(), conversation())
    return CompactTranscript(
        session=SESSION, turn=1, step=7, model=wire.model, facts=FACTS, head=head
    )


def model_at(server: RawServer, wire: Wire, store: Store, home: Path) -> LiteLlmModel:
    return LiteLlmModel(settings_for(home, base_url(wire, server)), store)


def summary(wire: Wire) -> Response:
    return streamed(wire.answer(wire.text("Parser half mended.")))


def overflow(wire: Wire) -> Response:
    return whole(400, json.dumps(wire.error("x", "prompt is too long")).encode())


@pytest.mark.parametrize("provider", WIRES)
async def test_a_long_transcript_is_summed_up(provider: str, store: Store, tmp_path: Path):
    """The new one names the old one; a repeat, by another process, buys nothing."""
    wire = WIRES[provider]
    request = await request_for(store, wire)
    with serving(summary(wire)) as server:
        done = await model_at(server, wire, store, tmp_path).compact(request)
        assert await model_at(server, wire, store, tmp_path).compact(request) == done
        assert len(server.requests) == 1
        assert json.dumps(compaction.INSTRUCTION)[1:-1].encode() in server.requests[0].body
    history = conversation()
    text = UserMessage(text=compaction.SUMMARY.format("Parser half mended."))
    left = await Transcripts(store).load(done.head)
    assert left == [PROMPT, text, *history[-10:]]
    assert (done.messages_before, done.head.messages) == (81, 12)
    assert done.usage.requests == 1
    assert done.usage.input_tokens > 0
    assert done.head.manifest is not None
    name = done.head.manifest
    manifest = Manifest.model_validate_json(store.read(f"transcripts/{name[:2]}/{name}"))
    assert manifest.compacted_from == request.head.manifest
    assert await Transcripts(store).load(request.head) == history


async def test_a_summed_up_transcript_goes_on(store: Store, tmp_path: Path):
    """The next step is asked about the prompt, the summary and the newest exchanges."""
    request = await request_for(store, OPENAI)
    with serving(summary(OPENAI), streamed(OPENAI.answer(OPENAI.text("Good.")))) as server:
        model = model_at(server, OPENAI, store, tmp_path)
        done = await model.compact(request)
        step = await model.step(CALL.model_copy(update={"step": 7, "head": done.head, "new": ()}))
        messages = json.loads(server.requests[1].body)["messages"]
    assert step.head.messages == 13
    assert step.usage.requests == 1
    roles = [message["role"] for message in messages]
    assert roles == ["system", "user", "user", *["assistant", "tool"] * 5]
    assert "Parser half mended." in messages[2]["content"]


@pytest.mark.parametrize("provider", WIRES)
async def test_what_is_too_long_is_asked_at_half_its_length(
    provider: str, store: Store, tmp_path: Path
):
    """Each attempt is counted, and a repeat makes none of them again."""
    wire = WIRES[provider]
    request = await request_for(store, wire)
    with serving(overflow(wire), overflow(wire), summary(wire)) as server:
        done = await model_at(server, wire, store, tmp_path).compact(request)
        assert await model_at(server, wire, store, tmp_path).compact(request) == done
        first, second, third = (len(received.body) for received in server.requests)
    assert first > second > third
    assert done.usage.requests == 3


async def test_what_stays_too_long_is_given_up(store: Store, tmp_path: Path):
    """After three attempts nothing is asked any more, also by a repeat."""
    request = await request_for(store, OPENAI)
    with serving(overflow(OPENAI)) as server:
        for _ in range(2):
            with pytest.raises(ApplicationError, match="cannot even read") as caught:
                await model_at(server, OPENAI, store, tmp_path).compact(request)
            assert (caught.value.type, caught.value.non_retryable) == (Failure.MODEL_COMPACT, True)
        assert len(server.requests) == 3


async def test_a_summary_without_words_is_asked_for_again(store: Store, tmp_path: Path):
    """A model that calls a tool instead has not answered; nothing is journaled."""
    request = await request_for(store, OPENAI)
    called = OPENAI.answer(*OPENAI.call(['{"command": "ls"}']), finish="tool_calls")
    with serving(streamed(called), summary(OPENAI)) as server:
        model = model_at(server, OPENAI, store, tmp_path)
        with pytest.raises(ApplicationError, match="instead of summing up") as caught:
            await model.compact(request)
        assert caught.value.type == Failure.MODEL_RETRY
        assert (await model.compact(request)).usage.requests == 2


async def test_a_fault_keeps_its_class(store: Store, tmp_path: Path):
    """Whoever can act on a failed step can act on a failed summary."""
    request = await request_for(store, OPENAI)
    limited = whole(429, json.dumps(OPENAI.error("rate_limit_error", "slow")).encode())
    with serving(limited) as server:
        with pytest.raises(ApplicationError) as caught:
            await model_at(server, OPENAI, store, tmp_path).compact(request)
        assert len(server.requests) == 1
    assert caught.value.type == Failure.MODEL_WAIT


async def test_a_killed_process_loses_one_request(store: Store, tmp_path: Path):
    """After SIGKILL the repeat buys exactly one more summary, and both are counted."""
    request = await request_for(store, OPENAI)
    with serving([HANG], summary(OPENAI)) as server:
        with calling(tmp_path, base_url(OPENAI, server), request):
            await asyncio.to_thread(server.wait_for, 1)
        done = await model_at(server, OPENAI, store, tmp_path).compact(request)
        assert len(server.requests) == 2
    assert done.usage.requests == 2
