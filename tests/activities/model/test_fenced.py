import json

import pytest

from activities.model.fenced import find_call
from workflows.contract.transcript import AssistantMessage, RequestedCall

LS = '{"name": "bash", "arguments": {"command": "ls"}}'


def found(text: str) -> AssistantMessage:
    return find_call(AssistantMessage(text=text), "1_2")


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (f"```json\n{LS}\n```", ""),
        (f"```\n{LS}\n```\n", ""),
        (f"```tool_call\n{LS}\n```", ""),
        (f"I look first.\n\n```json\n{LS}\n```  \n", "I look first."),
        (f"```json\n{json.dumps(json.loads(LS), indent=2)}\n```", ""),
    ],
)
def test_a_call_written_as_text_becomes_one(text: str, before: str):
    """It leaves the text, gets the id that its place gives, and is checked like any other."""
    call = RequestedCall(id="call_1_2_0", name="bash", arguments='{"command": "ls"}')
    assert found(text) == AssistantMessage(text=before, calls=(call,))


@pytest.mark.parametrize(
    "text",
    [
        LS,
        f"```json\n{LS}\n```\nThis would list the files.",
        f"```json\n{LS}\n```\n```json\n{LS}\n```",
        f"```python\n{LS}\n```",
        f"see ```json\n{LS}\n```",
        "```json\n[" + LS + "]\n```",
        '```json\n{"name": "rm", "arguments": {}}\n```',
        '```json\n{"name": "bash", "arguments": "ls"}\n```',
        '```json\n{"name": ["bash"], "arguments": {}}\n```',
        '```json\n{"name": "bash", "arguments": {}, "why": "x"}\n```',
        '```json\n{"name": "bash", "arguments": {"command": "ls"}\n```',
        '```json\n{"command": "ls"}\n```',
        "```json\n" + '{"a":' * 100_000 + "\n```",
        "```json\n{",
    ],
)
def test_text_that_is_not_just_a_call_stays_text(text: str):
    """Speaking of a call is not making one."""
    assert found(text) == AssistantMessage(text=text)


def test_very_many_fences_take_no_time():
    """They are counted before anything is looked for among them."""
    text = "```\n{}\n" * 200_000 + "x"
    assert found(text) == AssistantMessage(text=text)


def test_native_calls_are_enough():
    """A model that can call does not call in text as well."""
    call = RequestedCall(id="a", name="bash", arguments="{}")
    message = AssistantMessage(text=f"```json\n{LS}\n```", calls=(call,))
    assert find_call(message, "1_2") == message
