"""How the commands are typed that run an installation, show it, and look whether it works.

`main` adds them to the rest.
"""

from typing import Annotated

import typer

from cli.options import Form
from cli.terminal import Output

app = typer.Typer()
models = typer.Typer(help="List the configured models, or try one.")
app.add_typer(models, name="models")


@app.command()
def up(
    context: typer.Context,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="In the background: end once it is ready.")
    ] = False,
    metrics: Annotated[
        int | None,
        typer.Option(
            min=1, max=65_532, help="Port to serve metrics on; each worker takes one of the next."
        ),
    ] = None,
    output: Form = Output.TABLE,
) -> None:
    """Run the local stack here until Ctrl-C or `overnight down`."""
    from cli import local, reaching

    reaching.require_local(reaching.Reach(*context.obj))
    if detach:
        local.start_in_background(output, metrics)
    else:
        local.start(output, metrics)


@app.command()
def down(context: typer.Context) -> None:
    """Stop the local stack; sessions go on when it is up again.

    Sandboxes of open sessions stay, with the commands that run in them; closing a session ends its
    own.
    """
    from cli import local, reaching

    reaching.require_local(reaching.Reach(*context.obj))
    local.end()


@app.command("open")
def open_page(
    context: typer.Context,
    session: Annotated[
        str | None,
        typer.Argument(help="Session to show, by its id or a beginning of it; the list if none."),
    ] = None,
    *,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the link and start no browser.")
    ] = False,
) -> None:
    """Open the gateway's page in a browser, signed in."""
    from cli import opening
    from cli.reaching import Reach

    opening.open_page(Reach(*context.obj), session, only_print=only_print)


@app.command()
def doctor(context: typer.Context, *, output: Form = Output.TABLE) -> None:
    """Look whether everything that Overnight needs is there and works, and say how to mend it."""
    from cli.doctor import examination
    from cli.reaching import Reach

    raise typer.Exit(examination.examine(Reach(*context.obj), output))


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, *, output: Form = Output.TABLE) -> None:
    """List the models that are configured: the default, its fallbacks, and their keys."""
    if context.invoked_subcommand is None:
        from cli import models as doing
        from cli import reaching

        reaching.require_local(reaching.Reach(*context.obj))
        doing.list_models(output)


@models.command("test")
def try_model(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(help="LiteLLM model name; the configured one if none is named."),
    ] = None,
    *,
    output: Form = Output.TABLE,
) -> None:
    """Try a model as a session would use it, with at most two small requests."""
    from cli import models as doing
    from cli.reaching import Reach

    raise typer.Exit(doing.try_model(Reach(*context.obj), model, output))


@app.command()
def explain(
    code: Annotated[
        str | None, typer.Argument(help="Code of an error, as it stands in brackets; all if none.")
    ] = None,
    *,
    output: Form = Output.TABLE,
) -> None:
    """Say what the code of an error means: when it happens and what to do."""
    from cli import explaining

    if code is None:
        explaining.print_codes(output)
    else:
        explaining.print_explanation(code, output)
