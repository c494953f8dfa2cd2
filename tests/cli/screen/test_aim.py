"""Which question a typed line is meant for."""

from cli.screen.aim import Aim
from tests.cli.sessions import question
from workflows.contract.asking import Asked

FIRST, SECOND = (Asked.model_validate(question(id=digit * 16)) for digit in "ab")


def test_a_line_is_meant_for_what_was_shown_when_it_began():
    """Whatever is shown later, and for that line only."""
    aim = Aim()
    aim.begin()
    aim.show(FIRST)
    assert aim.take() is None
    aim.begin()
    aim.show(SECOND)
    assert aim.take() == FIRST
    assert aim.take() is None
    aim.begin()
    aim.show(None)
    assert aim.take() == SECOND
