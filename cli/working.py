"""How the commands are typed that hand over work, watch it, and take up what came of it.

`main` adds them to the rest.
"""

from typing import Annotated

import typer

from cli import exits
from cli.options import (
    Cost,
    Fallbacks,
    Follow,
    Form,
    Lines,
    Minutes,
    Mode,
    Model,
    NoDiff,
    NoWait,
    Session,
    Steps,
    Text,
    Tokens,
)
from cli.terminal import Output

app = typer.Typer()


@app.command()
def run(  # noqa: PLR0913 - the options of a command are its arguments
    context: typer.Context,
    prompt: Text,
    *,
    repo: Annotated[str, typer.Option(help="Path or URL of the git repository.")] = ".",
    base: Annotated[
        str | None,
        typer.Option(
            help="Branch to start from and propose to; else the checked-out one, or main of a URL."
        ),
    ] = None,
    model: Model = None,
    fallback: Fallbacks = None,
    steps: Steps = None,
    minutes: Minutes = None,
    tokens: Tokens = None,
    cost: Cost = None,
    approve_command: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask me before a command like this pattern, such as 'git push*'; may be repeated."
        ),
    ] = None,
    approve_pull_request: Annotated[
        bool, typer.Option("--approve-pull-request", help="Ask me before anything is proposed.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Do not wait.")] = False,
    no_wait: NoWait = False,
    output: Form = Output.TABLE,
) -> None:
    """Start a session on a task and show it work, up to its pull request."""
    from cli import commands
    from cli.reaching import Reach
    from cli.requests import Limits, Request

    limits = Limits(model, tuple(fallback or ()), steps, minutes, tokens, cost)
    patterns = tuple(approve_command or ())
    request = Request(prompt, repo, base, limits, patterns, approve_pull_request)
    reached = Reach(*context.obj)
    code = commands.run(reached, request, detach=detach, output=output, no_wait=no_wait)
    raise typer.Exit(code)


@app.command()
def watch(
    context: typer.Context,
    session: Session,
    *,
    no_wait: NoWait = False,
    output: Form = Output.TABLE,
) -> None:
    """Show a session work until its running turn has ended."""
    from cli import commands
    from cli.reaching import Reach

    raise typer.Exit(commands.watch(Reach(*context.obj), session, output, no_wait=no_wait))


@app.command()
def show(
    context: typer.Context,
    session: Session,
    *,
    no_diff: NoDiff = False,
    output: Form = Output.TABLE,
) -> None:
    """Show all about a session: what it does and asks, its budget, its checks, its proposal."""
    from cli import commands
    from cli.reaching import Reach

    commands.show_session(Reach(*context.obj), session, with_diff=not no_diff, output=output)


@app.command()
def attach(
    context: typer.Context,
    session: Session,
    *,
    output: Annotated[
        Lines,
        typer.Option(
            "-o",
            "--output",
            help="For people, or one JSON object per line.",
            callback=exits.remember_form,
        ),
    ] = Lines.TEXT,
) -> None:
    """Be there while a session works: all it does, live, and each line you type is a prompt."""
    from cli import attaching
    from cli.reaching import Reach

    reached = Reach(*context.obj)
    as_json, plain = output is Lines.JSON, context.color is False
    raise typer.Exit(attaching.attach(reached, session, as_json=as_json, plain=plain))


@app.command()
def logs(
    context: typer.Context,
    session: Session,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the session is closed.")
    ] = False,
    command: Annotated[
        str | None, typer.Option(help="Only this command, by the name `attach` shows.")
    ] = None,
    stderr: Annotated[
        bool, typer.Option("--stderr", help="Only what went to stderr, on stdout.")
    ] = False,
) -> None:
    """Print what a session's commands printed, byte by byte."""
    from cli import logs as printing
    from cli.reaching import Reach

    choice = printing.Choice(follow, command, stderr)
    raise typer.Exit(printing.print_logs(Reach(*context.obj), session, choice))


@app.command()
def ps(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("-a", "--all", help="Closed ones too.")] = False,
    output: Form = Output.TABLE,
) -> None:
    """List sessions, newest first."""
    from cli import commands
    from cli.reaching import Reach

    commands.list_sessions(Reach(*context.obj), closed=everything, output=output)


@app.command()
def prompt(  # noqa: PLR0913 - the options of a command are its arguments
    context: typer.Context,
    session: Session,
    text: Text,
    *,
    mode: Annotated[
        Mode, typer.Option(help="As the next turn, within the running one, or instead of it.")
    ] = Mode.QUEUE,
    model: Model = None,
    fallback: Fallbacks = None,
    steps: Steps = None,
    minutes: Minutes = None,
    tokens: Tokens = None,
    cost: Cost = None,
    follow: Follow = False,
    no_wait: NoWait = False,
    output: Form = Output.TABLE,
) -> None:
    """Send a session a follow-up; with a model or budget from now on."""
    from cli import commands
    from cli.reaching import Reach
    from cli.requests import FollowUp, Limits

    limits = Limits(model, tuple(fallback or ()), steps, minutes, tokens, cost)
    wanted = FollowUp(text, mode.value, limits)
    reached = Reach(*context.obj)
    code = commands.prompt(reached, session, wanted, follow=follow, output=output, no_wait=no_wait)
    raise typer.Exit(code)


@app.command()
def stop(
    context: typer.Context,
    session: Session,
    *,
    close: Annotated[bool, typer.Option("--close", help="Also end the session.")] = False,
) -> None:
    """Stop what a session runs; it then takes up the next prompt, or waits for one."""
    from cli import commands
    from cli.reaching import Reach

    commands.stop(Reach(*context.obj), session, close=close)


@app.command()
def reopen(
    context: typer.Context,
    session: Session,
    text: Text,
    *,
    follow: Follow = False,
    no_wait: NoWait = False,
    output: Form = Output.TABLE,
) -> None:
    """Go on with a closed session."""
    from cli import commands
    from cli.reaching import Reach

    reached = Reach(*context.obj)
    code = commands.reopen(reached, session, text, follow=follow, output=output, no_wait=no_wait)
    raise typer.Exit(code)


@app.command()
def pr(
    context: typer.Context,
    session: Session,
    *,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff instead.")] = False,
    output: Form = Output.TABLE,
) -> None:
    """Show the pull request of a session."""
    from cli import commands
    from cli.reaching import Reach

    commands.pull_request(Reach(*context.obj), session, diff=diff, output=output)
