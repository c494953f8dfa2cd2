import json

import pytest

from activities.model import wire
from activities.model.tools import Json
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
    UserMessage,
)

LS = RequestedCall(id="a", name="bash", arguments='{"command": "ls"}')
PWD = RequestedCall(id="b", name="bash", arguments='{"command": "pwd"}')


def sent(history: list[Message], model: str = "openai/x") -> list[Json]:
    """Return what goes out after the system message."""
    return list(wire.request(model, "system", history).messages[1:])


def wired(call_id: str, command: str) -> Json:
    function = {"name": "bash", "arguments": json.dumps({"command": command})}
    return {"id": call_id, "type": "function", "function": function}


def test_a_conversation_goes_out_in_order():
    """System, prompt, calls with their answers, text: as the chat interface has it."""
    request = wire.request(
        "openai/x",
        "be good",
        [
            UserMessage(text="go"),
            AssistantMessage(text="looking", calls=(LS,)),
            ToolMessage(call_id="a", text="file"),
            AssistantMessage(text="done"),
        ],
    )
    assert list(request.messages) == [
        {"role": "system", "content": "be good"},
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "looking", "tool_calls": [wired("a", "ls")]},
        {"role": "tool", "tool_call_id": "a", "content": "file"},
        {"role": "assistant", "content": "done"},
    ]


@pytest.mark.parametrize(
    ("following", "expected"),
    [
        pytest.param(
            [], [("tool", "a", wire.UNANSWERED), ("tool", "b", wire.UNANSWERED)], id="none"
        ),
        pytest.param(
            [ToolMessage(call_id="b", text="2"), ToolMessage(call_id="a", text="1")],
            [("tool", "a", "1"), ("tool", "b", "2")],
            id="other order",
        ),
        pytest.param(
            [UserMessage(text="stop"), ToolMessage(call_id="b", text="2")],
            [("tool", "a", wire.UNANSWERED), ("tool", "b", "2"), ("user", None, "stop")],
            id="a prompt between",
        ),
        pytest.param(
            [ToolMessage(call_id="a", text="1"), ToolMessage(call_id="a", text="again")],
            [
                ("tool", "a", "1"),
                ("tool", "b", wire.UNANSWERED),
                ("user", None, "[Result of the earlier call a]\nagain"),
            ],
            id="answered twice",
        ),
        pytest.param(
            [ToolMessage(call_id="a", text=" "), ToolMessage(call_id="z", text="?")],
            [
                ("tool", "a", wire.BLANK),
                ("tool", "b", wire.UNANSWERED),
                ("user", None, "[Result of the earlier call z]\n?"),
            ],
            id="a stranger",
        ),
    ],
)
def test_every_call_is_answered_at_once_and_once(
    following: list[Message], expected: list[tuple[str, str | None, str]]
):
    """Providers refuse for ever a transcript with an orphan call or answer, so none goes out."""
    out = sent([AssistantMessage(text="", calls=(LS, PWD)), *following])[1:]
    assert [(item["role"], item.get("tool_call_id"), item["content"]) for item in out] == expected


@pytest.mark.parametrize("arguments", ['{"command": "l', "[]", "", "1" * 5_000])
def test_broken_arguments_go_back_as_an_object(arguments: str):
    """Adapters that parse old arguments do not fail on a call that was refused."""
    call = RequestedCall(id="a", name="no such\ntool!", arguments=arguments)
    (assistant, _) = sent([AssistantMessage(text="", calls=(call,))])
    function = assistant["tool_calls"][0]["function"]  # type: ignore[index]  # JSON
    assert function["name"] == "no_such_tool_"
    assert json.loads(function["arguments"]) == {"malformed": arguments[:2_000]}


def test_a_long_text_is_sent_without_its_middle():
    """A message over 100,000 characters says how many were left out; a shorter one is whole."""
    (short, long) = sent([UserMessage(text="a" * 100_000), UserMessage(text="b" * 150_001)])
    assert short["content"] == "a" * 100_000
    half = "b" * 50_000
    assert long["content"] == f"{half}\n[… 50,001 characters elided …]\n{half}"


def test_provider_fields_come_back_unchanged():
    """Signed thinking and the ids that carry signatures are sent again as they came."""
    thinking = [{"type": "thinking", "thinking": "hm", "signature": "s" * 300}]
    long_id = "call_1__thought__" + "x" * 200
    raw: Json = {
        "role": "assistant",
        "content": "so",
        "thinking_blocks": thinking,
        "reasoning_content": "hm",
        "tool_calls": [
            {**wired(long_id, "ls"), "provider_specific_fields": {"thought_signature": "t"}}
        ],
    }
    message = wire.assistant_message(raw, "1_2")
    assert message.calls == (
        RequestedCall(id="call_1_2_0", name="bash", arguments='{"command": "ls"}'),
    )
    (assistant, result) = sent([message, ToolMessage(call_id="call_1_2_0", text="out")])
    assert assistant == raw
    assert result == {"role": "tool", "tool_call_id": long_id, "content": "out"}


def test_calls_get_unique_ids():
    """A missing, repeated or unwieldy id is replaced by one that follows from its place."""
    raw: Json = {"tool_calls": [wired(name, "ls") for name in ("a", "", "a", "b c")]}
    message = wire.assistant_message(raw, "3_4")
    assert [call.id for call in message.calls] == ["a", "call_3_4_1", "call_3_4_2", "call_3_4_3"]


def test_half_characters_are_joined_or_replaced():
    """An answer with a surrogate can be kept and sent like any other."""
    message = wire.assistant_message(
        {"content": "a\ud83d\ude00\ud83d", "tool_calls": [wired("a", "ls")]}, "1_1"
    )
    assert message.text == "a\N{GRINNING FACE}\N{REPLACEMENT CHARACTER}"
    assert message.model_dump_json()


def test_only_claude_gets_cache_marks():
    """System and the last two messages that are not the model's are marked, elsewhere nothing."""
    history: list[Message] = [
        UserMessage(text="go"),
        AssistantMessage(text="", calls=(LS,)),
        ToolMessage(call_id="a", text="file"),
        UserMessage(text="and?"),
    ]
    marked = wire.request("anthropic/claude-sonnet-4-5", "s", history).messages
    assert ["cache_control" in json.dumps(message) for message in marked] == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert "cache_control" not in json.dumps(wire.request("openai/gpt-5", "s", history).messages)


def test_equal_requests_have_equal_bytes():
    """The journal finds an answer whatever order a request was built in."""
    one = wire.Request(model="m", messages=({"role": "user", "content": "x"},), tools=())
    two = wire.Request(model="m", messages=({"content": "x", "role": "user"},), tools=())
    assert one.canonical() == two.canonical()


def test_old_results_are_left_out_in_place():
    """Long ones are named by their size; positions, pairs and all other messages stay."""
    history: list[Message] = [
        UserMessage(text="u" * 500),
        AssistantMessage(text="a" * 500, calls=(LS, PWD)),
        ToolMessage(call_id="a", text="o" * 12_345),
        ToolMessage(call_id="b", text="s" * 199),
        AssistantMessage(text="", calls=(LS,)),
        ToolMessage(call_id="a", text="o" * 200),
    ]
    left_out = "[12,345 characters of output left out to save space; run it again if you need it]"
    old = ToolMessage(call_id="a", text=left_out)
    assert wire.blank(history, 5) == [*history[:2], old, *history[3:]]
    assert wire.blank(history, 0) == history
    assert wire.blank(history, 99)[-1] != history[-1]


def test_what_goes_out_grows_at_its_end():
    """With equally much blanked the next request begins with the bytes of the one before."""
    history: list[Message] = [
        UserMessage(text="go"),
        AssistantMessage(text="", calls=(LS,)),
        ToolMessage(call_id="a", text="o" * 300),
        AssistantMessage(text="", calls=(PWD,)),
        ToolMessage(call_id="b", text="o" * 300),
    ]
    before = wire.request("openai/x", "s", wire.blank(history[:3], 3)).messages
    after = wire.request("openai/x", "s", wire.blank(history, 3)).messages
    assert after[: len(before)] == before
    assert len(after) == len(before) + 2
