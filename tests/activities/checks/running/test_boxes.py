"""Parts of a command have names that boxes take."""

from activities.checks.running.boxes import ID_CHARACTERS, part_of
from workflows.contract.base import CommandId


def test_parts_of_commands_are_told_apart():
    """However long the command's own id is."""
    assert part_of(CommandId("c1"), "report") == "c1-report"
    long = [CommandId("x" * ID_CHARACTERS), CommandId("x" * (ID_CHARACTERS - 1) + "y")]
    names = {part_of(command, part) for command in long for part in ("report", "before")}
    assert len(names) == 4
    assert max(len(name) for name in names) <= ID_CHARACTERS
