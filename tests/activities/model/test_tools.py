import json

import pytest

from activities.model import tools
from workflows.contract.tools import (
    ARGUMENTS,
    COMMAND_LIMIT,
    CONTENT_LIMIT,
    Arguments,
    AskArguments,
    BashArguments,
    EditArguments,
    FinishArguments,
    RunChecksArguments,
    ViewArguments,
    WriteArguments,
    canonical,
)
from workflows.contract.transcript import RefusedCall, RequestedCall, ToolName


def call(name: str, arguments: object) -> RequestedCall:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return RequestedCall(id="1", name=name, arguments=text)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("bash", {"command": "ls"}, BashArguments(command="ls", timeout_seconds=600)),
        (
            "bash",
            {"command": "ls", "timeout_seconds": 3600},
            BashArguments(command="ls", timeout_seconds=3600),
        ),
        ("view", {"path": "a"}, ViewArguments(path="a", start=1, end=None)),
        (
            "view",
            {"path": "a", "start": 2, "end": None},
            ViewArguments(path="a", start=2, end=None),
        ),
        (
            "edit",
            {"path": "a", "old_str": "x", "new_str": ""},
            EditArguments(path="a", old_str="x", new_str="", replace_all=False),
        ),
        ("write", {"path": "a", "content": ""}, WriteArguments(path="a", content="")),
        ("run_checks", {}, RunChecksArguments()),
        ("ask", {"question": "Which?"}, AskArguments(question="Which?")),
        (
            "ask",
            {"question": "Which?", "options": ["a", "b"]},
            AskArguments(question="Which?", options=("a", "b")),
        ),
        ("finish", {"summary": "done"}, FinishArguments(summary="done")),
    ],
)
def test_a_fitting_call_is_read(name: str, arguments: object, expected: Arguments):
    """What a model may leave out has its default, and null means left out."""
    assert tools.parse(call(name, arguments)) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        (
            "run",
            {},
            "no tool 'run'; the tools are: bash, view, edit, write, run_checks, ask, finish",
        ),
        ("\U000e0001" * 60, {}, "the tools are: bash, view"),
        ("\x00" * 100_000, {}, "the tools are: bash, view"),
        ("bash", '{"' + "\U000e0001" * 80 + '" ' + "\U000e0001" * 80, "with correct JSON"),
        ("bash", "", "the arguments are empty; send a JSON object"),
        ("bash", '{"command": ls}', "not valid JSON: Expecting value at character 12 of 15"),
        ("bash", '["ls"]', "must be a JSON object, not list"),
        ("bash", "[" * 100_000, "nested too deeply"),
        ("bash", '{"command": ' + "1" * 5_000 + "}", "number of thousands of digits"),
        ("bash", {}, "command: Field required"),
        ("bash", {"command": ""}, "command: String should have at least 1 character"),
        ("bash", {"command": "ls", "cwd": "/"}, "cwd: Extra inputs are not permitted"),
        ("bash", {"command": "a\0b"}, "command: must not contain NUL characters"),
        ("bash", '{"command": "\\ud800"}', "unable to parse raw data as a unicode string"),
        ("bash", {"command": "x" * (COMMAND_LIMIT + 1)}, "at most 30000 characters"),
        ("bash", {"command": "ls", "timeout_seconds": 0}, "greater than or equal to 1"),
        ("bash", {"command": "ls", "timeout_seconds": 3601}, "less than or equal to 3600"),
        ("view", {"path": "a\0"}, "path: must not contain NUL characters"),
        ("view", {"path": "a", "start": 9, "end": 2}, "end (2) must not be before start (9)"),
        ("edit", {"path": "a", "old_str": "x", "new_str": "x"}, "nothing would change"),
        ("run_checks", {"only": "lint"}, "only: Extra inputs are not permitted"),
        ("ask", {"question": "?", "options": ["a"] * 7}, "options: Tuple should have at most 6"),
        ("ask", {"question": "?", "options": ["x" * 101]}, "options.0: Value should have at most"),
        ("ask", {"question": "x" * 2_001}, "question: String should have at most 2000"),
        ("write", {"path": "a", "content": "x" * (CONTENT_LIMIT + 1)}, "at most 1000000"),
    ],
)
def test_an_unfit_call_is_refused_with_a_reason(name: str, arguments: object, reason: str):
    """The model learns in a few words what to do otherwise; nothing is carried out."""
    refusal = tools.parse(call(name, arguments))
    assert isinstance(refusal, str)
    assert reason in refusal
    assert RefusedCall(id="1", name="bash", reason=refusal).reason == refusal


@pytest.mark.parametrize("name", list(ToolName))
def test_a_schema_asks_for_what_is_accepted(name: ToolName):
    """Each tool is offered with exactly the fields its arguments have, and no others."""
    offered = json.loads(json.dumps(tools.schemas()))
    by_name = {item["function"]["name"]: item["function"]["parameters"] for item in offered}
    parameters = by_name[name]
    fields = ARGUMENTS[name].model_fields
    assert list(parameters["properties"]) == list(fields)
    assert parameters["additionalProperties"] is False
    assert parameters["required"] == [key for key, item in fields.items() if item.is_required()]


def test_arguments_survive_the_store():
    """What is kept for the sandbox reads back as what was accepted, byte for byte the same."""
    arguments = BashArguments(command="printf 'ä\\n'", timeout_seconds=5)
    kept = canonical(arguments)
    assert BashArguments.model_validate_json(kept) == arguments
    assert canonical(BashArguments.model_validate_json(kept)) == kept


@pytest.mark.parametrize(
    ("arguments", "summary"),
    [
        (BashArguments(command="\nmake\ntest"), "make …"),
        (BashArguments(command="echo \x1b[2J\u202e"), "echo \ufffd[2J\ufffd"),
        (BashArguments(command="echo 👩\u200d💻\u3000é"), "echo 👩\u200d💻\u3000é"),
        (BashArguments(command="x" * 900), "x" * 500),
        (WriteArguments(path="src/a.py", content="secret"), "src/a.py"),
        (RunChecksArguments(), "all checks"),
        (AskArguments(question="x" * 2_000), "x" * 2_000),
        (AskArguments(question="This\n\nor \x1bthat?"), "This\n\nor \ufffdthat?"),
        (FinishArguments(summary="Mended.\n\nMore.\x07"), "Mended.\n\nMore.\ufffd"),
    ],
)
def test_a_summary_is_harmless(arguments: Arguments, summary: str):
    """People see the beginning of what is done, and their terminals obey none of it."""
    assert tools.summarise(arguments) == summary


def test_options_are_harmless_lines():
    """Each can be a button or a line of a list; what is blank is none."""
    asked = AskArguments(question="?", options=("one\ntwo", "\x1b[2J", " ", "x" * 100))
    assert tools.options(asked) == ("one two", "\ufffd[2J", "x" * 100)
    assert tools.options(BashArguments(command="ls")) == ()
