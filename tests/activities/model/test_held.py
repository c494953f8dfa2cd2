"""Which commands wait for a person, as a table."""

import pytest

from activities.model.held import is_held


@pytest.mark.parametrize(
    ("command", "held"),
    [
        ("git push", True),
        ("git push origin main", True),
        ("cd x && git push", True),
        ("ls\ngit   push -f", True),
        ("true; (git push)", True),
        ("echo $(git push)", True),
        ("FORCE=1 git push", True),
        ("if true; then git push; fi", True),
        ("git \\\n push", True),
        ("git pull", False),
        ("echo 'do not git push'", False),
        ("", False),
    ],
)
def test_a_command_is_found_wherever_it_stands_in_a_script(command: str, *, held: bool) -> None:
    """Quoted words are no command; the case and the order of words count."""
    assert is_held(command, ("git push*",)) is held


def test_a_pattern_may_ask_for_everything_or_nothing() -> None:
    """No pattern, no question."""
    assert is_held("ls", ("*",))
    assert not is_held("ls", ())
