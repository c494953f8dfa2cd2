"""What a person may type."""

import pytest

from cli.keyboard import Act, Typed, parse
from cli.problems import CliProblem
from workflows.contract.session import PromptMode


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("Fix it", Typed(Act.PROMPT, "Fix it")),
        (" /etc is wrong", Typed(Act.PROMPT, "/etc is wrong")),
        ("a\0b\r", Typed(Act.PROMPT, "ab")),
        ("/steer left", Typed(Act.PROMPT, "left", PromptMode.STEER)),
        ("/interrupt do this", Typed(Act.PROMPT, "do this", PromptMode.INTERRUPT)),
        ("/interrupt", Typed(Act.STOP)),
        ("/stop ", Typed(Act.STOP)),
        ("/close", Typed(Act.CLOSE)),
        ("/help", Typed(Act.HELP)),
        ("  ", None),
    ],
)
def test_a_line_is_a_prompt_or_a_command(line: str, typed: Typed | None):
    """Each line is a prompt unless it begins with a slash; a blank one is nothing."""
    assert parse(line) == typed


@pytest.mark.parametrize("line", ["/etc", "/steer", "/stop now", "/close it", "/"])
def test_an_unknown_command_is_no_prompt(line: str):
    """A mistyped command is not handed to the model."""
    with pytest.raises(CliProblem) as caught:
        parse(line)
    assert caught.value.code == "input_unknown"
