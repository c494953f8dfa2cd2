"""docs/cli.md: every command of `overnight` as its own help describes it."""

from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from cli.main import EXIT_CODES, app

PAGE = Path(__file__).parents[2] / "docs/cli.md"

HEAD = """\
# Command line

Made from the commands themselves by `make docs`; `overnight <command> --help` says the same.
What you would type first is in the [tutorial](tutorial.md).

A session is named by its id or an unambiguous beginning of it, and so is a prompt that waits.
"""


def page() -> str:
    """Return the page; commands stand in the order of `overnight --help`."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    context = typer.Context(root, info_name="overnight")
    sections = [_section(command, context) for command in _commands(root, context)]
    always = _table(root, context, "Before the command")
    return "\n".join([HEAD, always, "", *sections, "## Exit codes", "", _exit_codes(), ""])


def _commands(
    group: TyperGroup, context: typer.Context
) -> list[tuple[str, TyperCommand | TyperGroup]]:
    found: list[tuple[str, TyperCommand | TyperGroup]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert isinstance(command, TyperCommand | TyperGroup)
        if command.hidden:
            continue
        if isinstance(command, TyperGroup):
            inner = _commands(command, context)
            found += [(f"{name} {each}", nested) for each, nested in inner]
            if not command.invoke_without_command:
                continue
        found.append((name, command))
    return found


def _section(named: tuple[str, TyperCommand | TyperGroup], context: typer.Context) -> str:
    name, command = named
    own = typer.Context(command, info_name=name, parent=context)
    usage = " ".join([f"overnight {name}", *command.collect_usage_pieces(own)])
    text = [f"## {name}", "", f"`{usage}`", "", command.help or "", ""]
    if rows := _table(command, own, "option"):
        text += [rows, ""]
    return "\n".join(text)


def _table(command: TyperCommand | TyperGroup, context: typer.Context, header: str) -> str:
    records = [
        record
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context)) and "--help" not in record[0]
    ]
    if not records:
        return ""
    rows = [f"| `{_cell(names)}` | {_cell(text)} |" for names, text in records]
    return "\n".join([f"| {header} | |", "|---|---|", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _exit_codes() -> str:
    listed = " ".join(EXIT_CODES.removeprefix("Exit codes:").rstrip(".").split())
    rows = [each.split(" ", 1) for each in listed.split(", ")]
    return "\n".join(
        ["| code | means |", "|---|---|", *(f"| {code} | {text} |" for code, text in rows)]
    )
