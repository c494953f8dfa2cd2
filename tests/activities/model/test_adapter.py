import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model.adapter import TEXT_CHARACTERS, LiteLlmModel
from activities.model.journal import Journal
from activities.model.replies import CUT
from activities.model.wire import Answer, Request
from runtime.store.base import Store, sha256
from runtime.transcript import Transcripts, keep_instructions, read_arguments
from tests.activities.model.conftest import (
    CALL,
    LITELLM_WARNINGS,
    PROMPT,
    SESSION,
    Replies,
    Scripted,
    put_prompt,
    settings_for,
)
from tests.activities.model.killed import calling
from workflows.contract.base import PromptId
from workflows.contract.failures import Failure
from workflows.contract.tools import BashArguments
from workflows.contract.transcript import (
    AssistantMessage,
    FromNode,
    FromPrompt,
    FromWorkflow,
    RefusedCall,
    RequestedCall,
    ToolMessage,
    ToolName,
    UserMessage,
)

pytestmark = LITELLM_WARNINGS

Start = Callable[[Replies], Scripted]
Make = Callable[[Scripted], LiteLlmModel]

LS = {"name": "bash", "arguments": {"command": "ls\npwd"}}
SCRIPT: Replies = {"mend the parser": [{"text": "Looking.", "calls": [LS]}]}


async def test_a_step_becomes_part_of_the_transcript(
    scripted: Start, model_for: Make, store: Store
):
    """The head names the prompt and the reply; the call's arguments wait in the store."""
    step = await model_for(scripted(SCRIPT)).step(CALL)
    (call,) = step.calls
    assert (step.text, call.name, call.summary) == ("Looking.", ToolName.BASH, "ls …")
    kept = await read_arguments(store, call.source)
    assert BashArguments.model_validate_json(kept) == BashArguments(command="ls\npwd")
    assert await Transcripts(store).load(step.head) == [
        UserMessage(text="mend the parser", from_person=True),
        AssistantMessage(
            text="Looking.",
            calls=(RequestedCall(id=call.id, name="bash", arguments='{"command": "ls\\npwd"}'),),
        ),
    ]
    assert step.usage.requests == 1
    assert step.usage.input_tokens > 0
    assert step.usage.cost_usd is None


async def test_a_step_shows_the_beginning_of_a_long_reply(scripted: Start, model_for: Make):
    """It is made harmless before it is cut, so that it begins like the text that was shown live."""
    server = scripted(
        {"mend": [{"text": "x" * (TEXT_CHARACTERS - 1) + "\r\n\r\n.", "calls": [LS]}]}
    )
    step = await model_for(server).step(CALL)
    assert step.text == "x" * (TEXT_CHARACTERS - 1) + "\n"


async def test_a_repeat_buys_nothing(scripted: Start, model_for: Make):
    """The same call again, from another process, gives the same step without a request."""
    server = scripted(SCRIPT)
    first = await model_for(server).step(CALL)
    assert await model_for(server).step(CALL) == first
    assert len(server.requests) == 1


async def test_two_at_once_agree(scripted: Start, model_for: Make, tmp_path: Path):
    """Two attempts that overlap answer the same; both of their requests are counted."""
    gate = tmp_path / "go"
    server = scripted({"mend": [{**SCRIPT["mend the parser"][0], "wait_for_file": str(gate)}]})
    async with asyncio.TaskGroup() as tasks:
        steps = [tasks.create_task(model_for(server).step(CALL)) for _ in range(2)]
        await server.received(2)
        gate.touch()
    first, second = (step.result() for step in steps)
    assert first.model_copy(update={"usage": second.usage}) == second
    assert (await model_for(server).step(CALL)).usage.requests == 2
    assert len(server.requests) == 2


async def test_the_first_kept_answer_wins(store: Store):
    """Who comes second with another answer returns the first one's."""
    request = Request(model="m", messages=(), tools=())
    answers = [
        Answer(
            message=AssistantMessage(text=text),
            finish="stop",
            input_tokens=1,
            output_tokens=1,
            cost_usd=None,
            seconds=1.0,
        )
        for text in ("one", "two")
    ]
    kept = [await Journal.of_step(store, CALL, request).keep(answer) for answer in answers]
    assert kept == [answers[0], answers[0]]


async def test_a_killed_process_loses_one_request(scripted: Start, model_for: Make, tmp_path: Path):
    """After SIGKILL mid-call the repeat buys exactly one more answer, and both are counted."""
    gate = tmp_path / "go"
    server = scripted({"mend": [{**SCRIPT["mend the parser"][0], "wait_for_file": str(gate)}]})
    with calling(tmp_path, server.url, CALL):
        await server.received(1)
    gate.touch()
    model = model_for(server)
    step = await model.step(CALL)
    assert step.usage.requests == 2
    assert await model.step(CALL) == step
    assert len(server.requests) == 2


async def test_each_model_has_its_own_answer(scripted: Start, model_for: Make):
    """A step that another model is asked for instead is not the first one's."""
    server = scripted(SCRIPT)
    model = model_for(server)
    await model.step(CALL)
    other = await model.step(CALL.model_copy(update={"model": "openai/other"}))
    assert len(server.requests) == 2
    assert other.usage.requests == 2


@pytest.mark.parametrize(
    ("name", "tokens", "expected"),
    [
        ("openai/scripted", 0, 0),
        ("openai/scripted", 32_000, 32_000),
        ("openai/gpt-4o", 32_000, 128_000),
    ],
)
async def test_a_step_tells_how_much_the_model_can_read(
    scripted: Start, store: Store, tmp_path: Path, name: str, tokens: int, expected: int
):
    """Litellm's list says it, for others the setting, else nobody does."""
    settings = settings_for(tmp_path, scripted(SCRIPT).url, model_context_tokens=tokens)
    step = await LiteLlmModel(settings, store).step(CALL.model_copy(update={"model": name}))
    assert step.context_limit == expected


async def test_what_is_blanked_is_not_sent(scripted: Start, model_for: Make, store: Store):
    """The transcript keeps a result whole that the model sees no more."""
    server = scripted({"mend": [SCRIPT["mend the parser"][0], {"text": "Good."}]})
    model = model_for(server)
    step = await model.step(CALL)
    result = ToolMessage(call_id=step.calls[0].id, text="x" * 50_000)
    new = (FromNode(sha256=await Transcripts(store).put(result)),)
    call = CALL.model_copy(update={"step": 2, "head": step.head, "new": new})
    whole, blank = [await model.step(call.model_copy(update={"blanked": n})) for n in (2, 3)]
    assert whole.usage.input_tokens - blank.usage.input_tokens > 12_000
    assert result in await Transcripts(store).load(blank.head)


async def test_the_repositorys_text_is_part_of_what_is_asked(
    scripted: Start, model_for: Make, store: Store
):
    """It is read by its name; without it the prompt would be another, so the step fails."""
    name = await keep_instructions(store, "# Use tabs")
    model = model_for(scripted(SCRIPT))
    plain = await model.step(CALL)
    facts = CALL.facts.model_copy(update={"instructions": name})
    told = await model.step(CALL.model_copy(update={"facts": facts}))
    assert told.usage.input_tokens > plain.usage.input_tokens
    lost = facts.model_copy(update={"instructions": sha256(b"never kept")})
    with pytest.raises(ApplicationError, match="incomplete"):
        await model.step(CALL.model_copy(update={"facts": lost}))


async def test_a_question_carries_its_options(scripted: Start, model_for: Make):
    """What a person will see of it is in the call, and inert."""
    arguments = {"question": "Which\x1b\none?", "options": ["the\nfirst", "b\u202e"]}
    reply: dict[str, object] = {"calls": [{"name": "ask", "arguments": arguments}]}
    (call,) = (await model_for(scripted({"mend": [reply]})).step(CALL)).calls
    assert call.summary == "Which\ufffd\none?"
    assert call.options == ("the first", "b\ufffd")


async def test_new_messages_come_from_everywhere(scripted: Start, model_for: Make, store: Store):
    """Prompts, results and notes are appended in the order the workflow gives them."""
    server = scripted({"mend": [SCRIPT["mend the parser"][0], {"text": "Good."}]})
    model = model_for(server)
    step = await model.step(CALL)
    result = ToolMessage(call_id=step.calls[0].id, text="a.py")
    put_prompt(store, PromptId("00000000-0000-4000-8000-000000000002"), "and hurry")
    new = (
        FromNode(sha256=await Transcripts(store).put(result)),
        FromWorkflow(text="restarted", call_id="call_x"),
        FromWorkflow(text="a note"),
        FromPrompt(prompt_id=PromptId("00000000-0000-4000-8000-000000000002")),
    )
    after = await model.step(CALL.model_copy(update={"step": 2, "head": step.head, "new": new}))
    assert (await Transcripts(store).load(after.head))[2:] == [
        result,
        ToolMessage(call_id="call_x", text="restarted"),
        UserMessage(text="a note"),
        UserMessage(text="and hurry", from_person=True),
        AssistantMessage(text="Good."),
    ]


async def test_bad_calls_are_refused_and_good_ones_taken(scripted: Start, model_for: Make):
    """A call that cannot be carried out hinders no other of the same reply."""
    calls: list[object] = [
        {"name": "rm", "arguments": {}},
        {"name": "bash", "arguments": '{"comm'},
        LS,
    ]
    step = await model_for(scripted({"mend": [{"calls": calls}]})).step(CALL)
    assert [call.name for call in step.calls] == ["bash"]
    assert [refused.name for refused in step.refused] == ["rm", "bash"]
    assert "there is no tool 'rm'" in step.refused[0].reason
    assert "not valid JSON" in step.refused[1].reason


async def test_a_reply_may_ask_for_sixteen_calls(scripted: Start, model_for: Make):
    """Sixteen are carried out, sixteen more are refused by name, the rest stay unnamed."""
    step = await model_for(scripted({"mend": [{"calls": [LS] * 40}]})).step(CALL)
    assert len(step.calls) == 16
    assert len(step.refused) == 16
    assert "only the first 16" in step.refused[0].reason


async def test_calls_of_a_cut_reply_are_refused(scripted: Start, model_for: Make):
    """A reply that met the output limit may hold half a command: none of it is carried out."""
    reply: dict[str, object] = {"text": "", "calls": [LS], "finish_reason": "length"}
    step = await model_for(scripted({"mend": [reply]})).step(CALL)
    assert step.calls == ()
    assert step.refused == (RefusedCall(id=step.refused[0].id, name="bash", reason=CUT),)


async def test_an_empty_answer_is_asked_for_again(scripted: Start, model_for: Make, store: Store):
    """Neither text nor call is no answer: it is not journaled, and the error is retryable."""
    model = model_for(scripted({"mend": [{"text": "  "}]}))
    with pytest.raises(ApplicationError) as caught:
        await model.step(CALL)
    assert (caught.value.type, caught.value.non_retryable) == (Failure.MODEL_RETRY, False)
    assert store.list(f"answers/{SESSION}") == []


async def test_a_lost_prompt_needs_a_person(scripted: Start, model_for: Make):
    """A prompt that the store does not have is no reason to ask a model, or to try again."""
    server = scripted(SCRIPT)
    missing = PromptId(PROMPT.replace("1", "9"))
    call = CALL.model_copy(update={"new": (FromPrompt(prompt_id=missing),)})
    with pytest.raises(ApplicationError, match="transcript is incomplete") as caught:
        await model_for(server).step(call)
    assert (caught.value.type, caught.value.non_retryable) == (Failure.MODEL_FATAL, True)
    assert server.requests == []


async def test_a_step_runs_as_an_activity(scripted: Start, model_for: Make):
    """Inside an activity an error keeps its type, which decides about a retry."""
    environment = ActivityEnvironment()
    model = model_for(scripted({"elsewhere": []}))
    with pytest.raises(ApplicationError) as caught:
        await environment.run(model.step, CALL)
    assert caught.value.type == Failure.MODEL_FATAL
