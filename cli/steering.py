"""How the commands are typed that steer an open session, or show what is decided about.

`main` adds them to the rest.
"""

from typing import Annotated

import typer

from cli.options import (
    Cost,
    Fallbacks,
    Form,
    Minutes,
    Model,
    NoDiff,
    Question,
    Session,
    Steps,
    Text,
    Tokens,
    Waiting,
)
from cli.terminal import Output

app = typer.Typer()


@app.command()
def answer(
    context: typer.Context,
    session: Session,
    text: Annotated[
        list[str],
        typer.Argument(help="The answer, or the number of one to choose; `-` reads stdin."),
    ],
    *,
    question: Question = None,
    output: Form = Output.TABLE,
) -> None:
    """Answer the question of a session's model."""
    from cli import deciding
    from cli.reaching import Reach

    deciding.answer(Reach(*context.obj), session, " ".join(text), question, output)


@app.command()
def approve(
    context: typer.Context,
    session: Session,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether I am sure.")] = False,
    question: Question = None,
    no_diff: NoDiff = False,
    output: Form = Output.TABLE,
) -> None:
    """Allow what a session asks for: exactly the command or the files that are shown."""
    from cli import deciding
    from cli.reaching import Reach

    chosen = deciding.Chosen(question, with_diff=not no_diff)
    code = deciding.approve(Reach(*context.obj), session, chosen, sure=yes, output=output)
    raise typer.Exit(code)


@app.command()
def reject(
    context: typer.Context,
    session: Session,
    reason: Annotated[str, typer.Argument(help="Why; the model reads it.")] = "",
    *,
    question: Question = None,
    no_diff: NoDiff = False,
    output: Form = Output.TABLE,
) -> None:
    """Refuse what a session asks for."""
    from cli import deciding
    from cli.reaching import Reach

    chosen = deciding.Chosen(question, with_diff=not no_diff)
    deciding.reject(Reach(*context.obj), session, chosen, reason, output)


@app.command()
def diff(context: typer.Context, session: Session) -> None:
    """Print the whole diff: of what a session asks about, else of its newest work."""
    from cli import reviewing
    from cli.reaching import Reach

    reviewing.diff(Reach(*context.obj), session)


@app.command()
def checks(context: typer.Context, session: Session, *, output: Form = Output.TABLE) -> None:
    """Show what the checks found in a session's newest work; 11 when it is red, 3 without any."""
    from cli import reviewing
    from cli.reaching import Reach

    raise typer.Exit(reviewing.checks(Reach(*context.obj), session, output))


@app.command()
def queue(context: typer.Context, session: Session, *, output: Form = Output.TABLE) -> None:
    """List the prompts that a session has not taken up yet."""
    from cli import queueing
    from cli.reaching import Reach

    queueing.list_prompts(Reach(*context.obj), session, output)


@app.command()
def edit(
    context: typer.Context,
    session: Session,
    prompt: Waiting,
    text: Text,
    *,
    output: Form = Output.TABLE,
) -> None:
    """Put another text into the place of a prompt that waits."""
    from cli import queueing
    from cli.reaching import Reach

    queueing.edit(Reach(*context.obj), session, prompt, text, output)


@app.command()
def withdraw(
    context: typer.Context, session: Session, prompt: Waiting, *, output: Form = Output.TABLE
) -> None:
    """Take back a prompt that waits."""
    from cli import queueing
    from cli.reaching import Reach

    queueing.withdraw(Reach(*context.obj), session, prompt, output)


@app.command()
def configure(  # noqa: PLR0913 - the options of a command are its arguments
    context: typer.Context,
    session: Session,
    *,
    model: Model = None,
    fallback: Fallbacks = None,
    steps: Steps = None,
    minutes: Minutes = None,
    tokens: Tokens = None,
    cost: Cost = None,
    output: Form = Output.TABLE,
) -> None:
    """Change the model or the budget of a session, from its next model call on."""
    from cli import queueing
    from cli.reaching import Reach
    from cli.requests import Limits

    limits = Limits(model, tuple(fallback or ()), steps, minutes, tokens, cost)
    queueing.configure(Reach(*context.obj), session, limits, output)
