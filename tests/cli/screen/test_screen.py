"""Lines of several sources on one screen."""

import pytest
from click import unstyle

from cli.screen.screen import CommandOutput, Screen
from cli.stream.items import Output
from workflows.contract.base import CommandId
from workflows.contract.output import Channel, OutputFrame
from workflows.contract.sandbox import CommandOutcome
from workflows.contract.socket import OutputSkipped

C1 = CommandId("c1")


class Paper:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def piece(data: bytes, channel: Channel = Channel.STDOUT) -> Output:
    return Output(C1, 0, (OutputFrame(channel, 0, data),))


def test_no_source_runs_into_another():
    """A line that is not finished is ended before somebody else writes, and goes on otherwise."""
    paper = Paper()
    screen = Screen(paper.write)
    screen.text("a", "> ", "one ")
    screen.text("a", "> ", "line\ntwo")
    screen.text("b", "# ", "three\n")
    screen.line("four")
    screen.text("a", "> ", "")
    screen.finish_line()
    assert paper.text == "> one line\n> two\n# three\nfour\n"


def test_output_is_shown_at_once_and_stderr_is_marked():
    """What has no line end yet is there to see; characters may be cut between two pieces."""
    paper = Paper()
    output = CommandOutput(Screen(paper.write))
    output.show(piece("ä".encode()[:1]))
    output.show(piece("ä".encode()[1:] + b" \x1b[3"))
    assert "ä" in paper.text
    output.show(piece(b"oh\n", Channel.STDERR))
    output.show(piece(b"1mred"))
    output.ended(C1)
    assert unstyle(paper.text) == "│ ä \n│! oh\n│ red\n"


def test_what_was_left_out_is_told():
    """A gap that was wished for is visible, and what follows starts afresh."""
    paper = Paper()
    output = CommandOutput(Screen(paper.write))
    output.show(piece(b"a\x1b]never ended"))
    output.skipped(OutputSkipped(command_id=C1, start=100, end=1_334))
    output.show(piece(b"b\n"))
    assert "1,234 bytes left out" in paper.text
    assert paper.text.splitlines()[-1].endswith("b")


@pytest.mark.parametrize(
    ("outcome", "exit_code", "shown"),
    [
        (CommandOutcome.EXITED, 0, ""),
        (CommandOutcome.EXITED, 3, "│ exit 3\n"),
        (CommandOutcome.LOST, None, "│ lost: the sandbox ended under it\n"),
        (CommandOutcome.STOPPED, 0, "│ stopped before its end\n"),
    ],
)
def test_a_command_that_did_not_do_well_is_told(
    outcome: CommandOutcome, exit_code: int | None, shown: str
):
    """One line says how it ended; success needs none."""
    paper = Paper()
    CommandOutput(Screen(paper.write)).failed(outcome, exit_code)
    assert unstyle(paper.text) == shown


@pytest.mark.parametrize("outcome", sorted(set(CommandOutcome) - {CommandOutcome.EXITED}))
def test_every_outcome_has_its_words(outcome: CommandOutcome):
    """None but an exit is told by a code."""
    paper = Paper()
    CommandOutput(Screen(paper.write)).failed(outcome, None)
    assert "exit" not in paper.text
