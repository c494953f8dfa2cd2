"""How the commands are typed that steer an open session; `main` adds them to the rest."""

from typing import Annotated

import typer

from cli.options import (
    Cost,
    Fallbacks,
    Form,
    Minutes,
    Model,
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
    output: Form = Output.TABLE,
) -> None:
    """Allow what a session asks for: exactly the command or the files that are shown."""
    from cli import deciding
    from cli.reaching import Reach

    reached = Reach(*context.obj)
    code = deciding.approve(reached, session, sure=yes, question=question, output=output)
    raise typer.Exit(code)


@app.command()
def reject(
    context: typer.Context,
    session: Session,
    reason: Annotated[str, typer.Argument(help="Why; the model reads it.")] = "",
    *,
    question: Question = None,
    output: Form = Output.TABLE,
) -> None:
    """Refuse what a session asks for."""
    from cli import deciding
    from cli.reaching import Reach

    deciding.reject(Reach(*context.obj), session, reason, question, output)


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
