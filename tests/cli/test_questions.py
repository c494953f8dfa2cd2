"""Questions as they are shown, and what a typed line decides."""

import pytest
from click import unstyle

from cli import questions
from cli.problems import CliProblem
from tests.cli.sessions import SESSION, question
from workflows.contract.asking import Asked


def asked(kind: str = "question", **fields: object) -> Asked:
    return Asked.model_validate(question(kind, **fields))


def shown(*arguments: object) -> list[str]:
    return [unstyle(line) for line in questions.lines(*arguments)]  # type: ignore[arg-type]


def test_exactly_what_is_asked_is_shown_inert():
    """Kind, id, text, subject line by line and the options; none of it drives the terminal."""
    found = asked("command", subject="rm -rf x\n\x1b[2Jy", options=("a", "b\nc"))
    assert shown(found) == [
        "? may this command be run?  [0123456789abcdef]",
        "  Which \N{REPLACEMENT CHARACTER}[31mport?",
        "  │ rm -rf x",
        "  │ \N{REPLACEMENT CHARACTER}[2Jy",
        "  1) a",
        "  2) b c",
    ]


def test_a_cut_command_says_so_unless_it_is_whole():
    """Nobody takes a beginning for all of it."""
    found = asked("command", subject="x" * 500)
    assert questions.is_cut(found)
    assert shown(found)[-1] == "  … and more"
    assert shown(found, "x" * 500 + "; rm y")[-1] == "  │ " + "x" * 500 + "; rm y"
    assert not questions.is_cut(asked("command", subject="x" * 499))


@pytest.mark.parametrize(
    ("kind", "line", "approved", "text"),
    [
        ("question", "port 8080", True, "port 8080"),
        ("question", "2", True, "the other"),
        ("question", "8", True, "8"),
        ("question", "n", True, "n"),
        ("command", "y", True, ""),
        ("budget", " Yes ", True, ""),
        ("verdict", "n", False, ""),
        ("pull_request", "no, the title is wrong", False, "the title is wrong"),
    ],
)
def test_a_line_answers_exactly_this_question(kind: str, line: str, *, approved: bool, text: str):
    """A text or a number for the model's question, y or n for an approval."""
    found = asked(kind, options=("this one", "the other", "8"))
    decided = questions.decision(found, line)
    assert (decided.question, decided.approved, decided.text) == (found.id, approved, text)


@pytest.mark.parametrize("line", ["0", "3", "8080"])
def test_a_number_that_no_answer_has_is_refused(line: str):
    """Unless there are none to choose from: then it is the answer."""
    with pytest.raises(CliProblem) as caught:
        questions.decision(asked(options=("red", "blue")), line)
    assert "1) red  2) blue" in caught.value.detail
    assert questions.decision(asked(), line).text == line


@pytest.mark.parametrize("line", ["maybe", "y but later", "yesterday", ""])
def test_what_is_neither_y_nor_n_allows_nothing(line: str):
    """It is refused, with what can be typed."""
    with pytest.raises(CliProblem) as caught:
        questions.decision(asked("command"), line)
    assert caught.value.code == "input_unknown"


def test_an_answer_that_is_too_long_is_refused():
    """The model would not get all of it."""
    with pytest.raises(CliProblem):
        questions.decision(asked(), "x" * 2_001)


@pytest.mark.parametrize(("kind", "command"), [("question", "answer"), ("budget", "approve")])
def test_how_it_is_answered_is_said(kind: str, command: str):
    """By a command that can be copied, or by keys."""
    assert f"overnight {command} {SESSION}" in questions.commands(SESSION, asked(kind))[0]
    assert "Enter" in questions.keys(asked(kind))[0]
