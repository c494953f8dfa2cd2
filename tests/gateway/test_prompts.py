"""What follows from a prompt's text and id alone."""

import pytest

from gateway.sessions import prompts
from workflows.contract.api import PromptBody
from workflows.contract.base import PromptId

ID = PromptId("00000000-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Fix the build\nand the tests", "Fix the build"),
        ("\n\n  Fix it  \n", "Fix it"),
        ("x" * 200, "x" * 80),
        ("red \x1b[31mred\x07", "red  [31mred "),
        ("left \u202e right", "left   right"),
        ("tag \U000e0041", "tag  "),
        ("one\u2028two", "one"),
        (" \n\t\n", "(blank)"),
        ("für Ägypten 🐫", "für Ägypten 🐫"),
    ],
)
def test_a_title_is_one_harmless_line(text: str, title: str):
    """A title shows the first line with words, cut, and nothing that steers what shows it."""
    assert prompts.title_of(text) == title


def test_a_signal_tells_size_and_beginning_only():
    """The signal of a long prompt stays small and names the whole by hash and bytes."""
    signal = prompts.announce(PromptBody(id=ID, text="ü" * 1_000))
    assert signal.size == 2_000
    assert signal.excerpt == "ü" * 200


def test_a_session_id_follows_from_the_prompt_id():
    """The same prompt always starts the same session, and the id is a valid one."""
    assert prompts.session_of(ID) == "s-11e594f481958c10e301"
    assert prompts.SESSION_ID.fullmatch(prompts.session_of(ID))
