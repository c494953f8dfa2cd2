"""Tool calls of models that have no native ones and write them as fenced JSON.

Measured under `tool_choice="auto"`: the text ends in a fence, the list of calls is empty.
"""

import json
import re

from workflows.contract.transcript import AssistantMessage, RequestedCall, ToolName

_FENCED = re.compile(
    r"(?P<before>.*?)^```(?:json|tool_call|tool)?[ \t]*\n(?P<body>\{.*\})\s*^```\s*",
    re.DOTALL | re.MULTILINE,
)


def find_call(message: AssistantMessage, step: str) -> AssistantMessage:
    """Return the message with the call that its text ends in, or unchanged.

    Strict, because text that merely speaks of a call must not become one: one fence, the last
    thing said, that holds just `{"name": <a tool>, "arguments": {…}}`.
    """
    # Counted first: among many fences the pattern would try every one with every other.
    if message.calls or message.text.count("```") != 2:  # noqa: PLR2004  # opened and closed
        return message
    found = _FENCED.fullmatch(message.text)
    if found is None:
        return message
    try:
        value = json.loads(found["body"])
    except (ValueError, RecursionError):
        return message
    is_call = set(value) == {"name", "arguments"} and isinstance(value["arguments"], dict)
    # A list, because what stands there need not even be hashable.
    if not is_call or value["name"] not in list(ToolName):
        return message
    arguments = json.dumps(value["arguments"], ensure_ascii=False)
    call = RequestedCall(id=f"call_{step}_0", name=value["name"], arguments=arguments)
    return message.model_copy(update={"text": found["before"].strip(), "calls": (call,)})
