"""Options and arguments that several commands take, as they are typed."""

from enum import StrEnum
from typing import Annotated

import typer

from cli import exits
from cli.terminal import Output

Session = Annotated[str, typer.Argument(help="Id of a session, or an unambiguous beginning of it.")]
Text = Annotated[str, typer.Argument(help="What to do; `-` reads it from stdin.")]
Waiting = Annotated[
    str, typer.Argument(help="Id of a prompt that waits, or an unambiguous beginning of it.")
]
Form = Annotated[
    Output,
    typer.Option("-o", "--output", help="Form of the result.", callback=exits.remember_form),
]
Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        "-f",
        help="Stay until the turn that takes it up, or is steered by it, has ended.",
    ),
]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="End with 14 when the session asks something, as it does without a terminal.",
    ),
]

Model = Annotated[
    str | None, typer.Option(help="LiteLLM model name, such as anthropic/claude-sonnet-4-5.")
]
Fallbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--fallback", help="Model to ask when those before cannot be asked; may be repeated."
    ),
]
Steps = Annotated[int | None, typer.Option(min=1, help="Model calls a turn may use.")]
Minutes = Annotated[
    float | None, typer.Option(help="Minutes a turn may take; waiting for a person is free.")
]
Tokens = Annotated[int | None, typer.Option(min=1, help="Tokens the session may use in all.")]
Cost = Annotated[
    float | None,
    typer.Option(
        help="US dollars the session may cost in all; not enforced where no price is known."
    ),
]

Question = Annotated[
    str | None,
    typer.Option(help="Only if the session asks the question of this id, as `show` names it."),
]

NoDiff = Annotated[
    bool, typer.Option("--no-diff", help="Leave out the diff of the files in question.")
]


class Mode(StrEnum):
    """When a follow-up is taken up; the values of the contract's `PromptMode`."""

    QUEUE = "queue"
    STEER = "steer"
    INTERRUPT = "interrupt"


class Lines(StrEnum):
    """The form of what is shown live."""

    TEXT = "text"
    JSON = "json"
