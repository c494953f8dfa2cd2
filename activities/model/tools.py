"""The tools as models see them, and the reading of a call: arguments, or why they are refused."""

import json
import re
from functools import cache

from pydantic import ValidationError

from workflows.contract.tools import (
    ARGUMENTS,
    OPTION_LIMIT,
    Arguments,
    AskArguments,
    BashArguments,
    FinishArguments,
    RunChecksArguments,
)
from workflows.contract.transcript import RequestedCall, ToolName

Json = dict[str, object]

SUMMARY_CHARACTERS = 500
WHOLE_CHARACTERS = 2_000
"""Of what is said to a person: the summary of `finish`, the question of `ask`."""

REASON_CHARACTERS = 600
QUOTED_CHARACTERS = 40
VISIBLE_CHARACTERS = 300

DESCRIPTIONS = {
    ToolName.BASH: "Run a bash script in the workspace, in a fresh shell without a terminal."
    " Returns the exit code and the output, cut in the middle when it is long.",
    ToolName.VIEW: "Show a file with numbered lines, or list a folder.",
    ToolName.EDIT: "Replace text in a file. old_str must match exactly and occur exactly once,"
    " unless replace_all is set.",
    ToolName.WRITE: "Create a file, with the folders it needs, or replace all of its content.",
    ToolName.RUN_CHECKS: "Have the repository's checks judge the proposed files in a fresh sandbox,"
    " as finish does, without ending the turn. Returns the findings.",
    ToolName.ASK: "Ask the person a question that blocks the work and that nothing here answers."
    " The turn waits for the answer, perhaps for days. Call it alone.",
    ToolName.FINISH: "End the turn: the task is done, or cannot be done. Call it alone.",
}


@cache
def schemas() -> tuple[Json, ...]:
    """Return the tools in the form of the chat completions interface; never changes."""
    return tuple(
        {
            "type": "function",
            "function": {
                "name": name.value,
                "description": DESCRIPTIONS[name],
                "parameters": _parameters(ARGUMENTS[name]),
            },
        }
        for name in ToolName
    )


def parse(call: RequestedCall) -> Arguments | str:
    """Return the call's arguments, or the reason for the model why it is not carried out.

    A reason has at most 600 characters, which a `RefusedCall` takes.
    """
    read = _read(call)
    return read[:REASON_CHARACTERS] if isinstance(read, str) else read


def _read(call: RequestedCall) -> Arguments | str:
    if call.name not in set(ToolName):
        return f"there is no tool {_quoted(call.name)}; the tools are: {', '.join(ToolName)}"
    try:
        value = json.loads(call.arguments)
    except json.JSONDecodeError as error:
        return _not_json(call.arguments, error)
    except (RecursionError, ValueError):
        return "the arguments are nested too deeply, or hold a number of thousands of digits"
    if not isinstance(value, dict):
        return f"the arguments must be a JSON object, not {type(value).__name__}"
    try:
        return ARGUMENTS[ToolName(call.name)].model_validate(value)
    except ValidationError as error:
        return _unfit(call.name, error)


def summarise(arguments: Arguments) -> str:
    """Return harmless text for people: a command's first line, a path, all that is said to them."""
    match arguments:
        case BashArguments():
            text = arguments.command.strip()
        case FinishArguments():
            return harmless(arguments.summary.strip())[:WHOLE_CHARACTERS]
        case AskArguments():
            return harmless(arguments.question.strip())[:WHOLE_CHARACTERS]
        case RunChecksArguments():
            text = "all checks"
        case _:
            text = arguments.path
    first, newline, _ = text.partition("\n")
    return harmless(first[:SUMMARY_CHARACTERS] + (" …" if newline else ""))[:SUMMARY_CHARACTERS]


def options(arguments: Arguments) -> tuple[str, ...]:
    """Return the answers that `ask` offers, each one harmless line; none for other tools."""
    if not isinstance(arguments, AskArguments):
        return ()
    lines = (" ".join(harmless(option).split()) for option in arguments.options)
    return tuple(line[:OPTION_LIMIT] for line in lines if line)


def joined(text: str) -> str:
    """Join halves of characters that a model split between two tokens; a lone one is U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def harmless(text: str) -> str:
    """Replace what a terminal could obey, all but newline and tab, by a visible mark."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", joined(text).replace("\r\n", "\n"))


def settled(text: str) -> int:
    """Return how many characters mean the same whatever follows: all, or all but the last.

    A text that is cut only at such places can be made harmless part by part.
    """
    last = text[-1:]
    return len(text) - (last == "\r" or "\ud800" <= last <= "\udbff")


# Unicode's Cc, Zl and Zp but for newline and tab, and the bidirectional controls, which make a line
# read otherwise than it is (CVE-2021-42574).
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"
    "\u202a-\u202e\u2066-\u2069]"
)


def _parameters(arguments: type[Arguments]) -> Json:
    schema = arguments.model_json_schema()
    properties = {
        name: _property(dict(value)) for name, value in dict(schema["properties"]).items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": schema.get("required", []),
        "additionalProperties": False,
    }


def _property(schema: Json) -> Json:
    # Not every provider knows anyOf, and an optional argument can simply be left out.
    variants = schema.pop("anyOf", [])
    for variant in variants if isinstance(variants, list) else []:
        if variant.get("type") != "null":
            schema = {**variant, **schema}
    dropped = ("title", "maxLength", "minLength")
    kept = {key: value for key, value in schema.items() if key not in dropped}
    return {key: value for key, value in kept.items() if value is not None}


def _not_json(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "the arguments are empty; send a JSON object"
    around = text[max(0, error.pos - QUOTED_CHARACTERS) : error.pos + QUOTED_CHARACTERS]
    return (
        f"the arguments are not valid JSON: {error.msg} at character {error.pos} of {len(text)},"
        f" near {_quoted(around)}; send the call again with correct JSON"
    )


def _quoted(text: str) -> str:
    """Return the text made visible, which takes ten characters for one, as far as it fits."""
    return repr(text[: 2 * QUOTED_CHARACTERS])[:VISIBLE_CHARACTERS]


def _unfit(name: str, error: ValidationError) -> str:
    problems = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        problems.append(f"{field}: {message}" if field else message)
    return f"the arguments of {name} do not fit: " + "; ".join(problems)
