"""What a provider says of tokens and prices is believed only where it can be true."""

import json
from pathlib import Path

import pytest

from activities.model import chat, wire
from tests.activities.model.conftest import LITELLM_WARNINGS, settings_for
from tests.activities.model.raw_server import OPENAI, base_url, serving, streamed
from workflows.contract.transcript import UserMessage

pytestmark = LITELLM_WARNINGS

HUGE = 10**30


async def answered(usage: dict[str, object]) -> wire.Answer:
    """Return an answer that comes with these counts."""
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = json.dumps({**chunk, "choices": [], "usage": usage})
    event = f"data: {said}\n\n".encode()
    request = wire.request(OPENAI.model, "be good", [UserMessage(text="say hi")])
    pieces = [OPENAI.start, OPENAI.text("hi"), OPENAI.finish("stop"), event, OPENAI.done]
    with serving(streamed(pieces)) as server:
        settings = settings_for(Path("unused"), base_url(OPENAI, server))
        return await chat.ask(request, "1_1", settings, lambda _: None)


async def test_what_can_be_true_is_believed():
    """As the provider says it, its price too."""
    answer = await answered({"prompt_tokens": 9, "completion_tokens": 3, "cost": 0.25})
    assert (answer.input_tokens, answer.output_tokens, answer.cost_usd) == (9, 3, 0.25)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.parametrize("cost", ["abc", {"a": 1}, -1.0, float("inf"), float("nan"), HUGE])
async def test_a_price_that_cannot_be_is_unknown(cost: object):
    """It costs no answer that was paid for, and no budget is ever refilled by it."""
    answer = await answered({"prompt_tokens": 9, "completion_tokens": 3, "cost": cost})
    assert (answer.input_tokens, answer.cost_usd) == (9, None)


@pytest.mark.parametrize("count", [-5, HUGE])
async def test_a_count_that_cannot_be_is_estimated(count: int):
    """By the length of what was said and of what was asked."""
    answer = await answered({"prompt_tokens": count, "completion_tokens": count})
    assert 0 < answer.output_tokens < answer.input_tokens < 1_000_000
