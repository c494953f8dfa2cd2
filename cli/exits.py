"""How a command ends that meets an expected error: what is said, in which form, and its status."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

import typer

from cli.problems import CliProblem
from cli.terminal import Output, report, say_as_json

_FORM = "overnight.form"

Form = TypeVar("Form", bound=StrEnum)


def remember_form(context: typer.Context, form: Form) -> Form:
    """Note the form that a command's result has: its errors have it too."""
    context.meta[_FORM] = form.value
    return form


@contextmanager
def explaining(context: typer.Context) -> Iterator[None]:
    """Turn an expected error of the block into words on stderr and an exit status.

    With `-o json` the last line of stderr is one JSON object: code, title, detail, cause, hint
    and exit_code.
    """
    try:
        yield
    except CliProblem as problem:
        if context.meta.get(_FORM) == Output.JSON:
            say_as_json(problem)
        else:
            report(problem, whole=True)
        raise typer.Exit(problem.exit_code) from problem
