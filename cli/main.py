"""The `overnight` command: how its commands are typed, and how they exit.

What they do is imported only to run one: `--help` must not wait for what it does not show.
"""

from typing import Annotated

import typer

from cli import exits, operating, steering, working

EXIT_CODES = """Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 not authenticated,
5 gateway unreachable, 6 conflict, 10 session failed, 11 checks failed, 12 stopped by a person,
13 budget used up, 14 a person must answer, 130 Ctrl-C."""

app = typer.Typer(
    help="Hand a task to a coding agent that works on its own and proposes a pull request.",
    epilog=EXIT_CODES,
    # Rich costs --help 0.25 s (measured).
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(working.app)
app.add_typer(steering.app)
app.add_typer(operating.app)


def _version(wanted: bool) -> None:  # noqa: FBT001 - as an option's callback is called
    if wanted:
        from importlib import metadata

        typer.echo(metadata.version("overnight"))
        raise typer.Exit


def _is_typed(context: typer.Context, name: str) -> bool:
    """Tell whether an option stands in the command, and not only in the environment."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.callback()
def reach(
    context: typer.Context,
    *,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="OVERNIGHT_URL", help="Gateway to speak to, instead of the local stack's."
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="OVERNIGHT_TOKEN", help="Token of that gateway.")
    ] = None,
    no_color: Annotated[str, typer.Option(envvar="NO_COLOR", hidden=True)] = "",
    version: Annotated[  # noqa: ARG001 - its callback has ended the program
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Take what concerns every command."""
    context.obj = (url, token, _is_typed(context, "url"), _is_typed(context, "token"))
    if no_color:
        context.color = False
    context.with_resource(exits.explaining(context))


def main() -> None:
    """Run the command line."""
    app(prog_name="overnight")


if __name__ == "__main__":
    main()
