"""The arguments of the tools a model may call: what the model adapter checks and sandboxes obey.

Field descriptions are written for the model: they become the tools' JSON schemas.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from workflows.contract.base import Frozen
from workflows.contract.transcript import ToolName

COMMAND_LIMIT = 30_000
"""Characters of a shell command; Linux takes 128 KiB in one argument."""

CONTENT_LIMIT = 1_000_000
"""Characters of a file's new content, or of a part to replace; a longer one is refused."""

PATH_LIMIT = 4_000
SUMMARY_LIMIT = 20_000
QUESTION_LIMIT = 2_000
OPTION_LIMIT = 100
LINE_LIMIT = 100_000_000

COMMAND_SECONDS = 600
COMMAND_SECONDS_LIMIT = 3_600


def _without_nul(text: str) -> str:
    # Neither a path nor an argument of a program can hold it. Pydantic itself refuses lone
    # surrogates, which no file and no provider could take.
    if "\0" in text:
        message = "must not contain NUL characters"
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
OptionText = Annotated[Text, Field(min_length=1, max_length=OPTION_LIMIT)]
FilePath = Annotated[Text, Field(min_length=1, max_length=PATH_LIMIT)]


class BashArguments(Frozen):
    """Run a shell command."""

    command: Text = Field(
        min_length=1, max_length=COMMAND_LIMIT, description="The bash script to run."
    )
    timeout_seconds: int = Field(
        default=COMMAND_SECONDS,
        ge=1,
        le=COMMAND_SECONDS_LIMIT,
        description="The command and all it started are killed after so many seconds.",
    )


class ViewArguments(Frozen):
    """Read a file or list a folder."""

    path: FilePath = Field(description="Relative to the workspace, or absolute.")
    start: int = Field(default=1, ge=1, le=LINE_LIMIT, description="First line to show.")
    end: int | None = Field(
        default=None, ge=1, le=LINE_LIMIT, description="Last line to show, included."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end < self.start:
            message = f"end ({self.end}) must not be before start ({self.start})"
            raise ValueError(message)
        return self


class EditArguments(Frozen):
    """Replace a part of a file."""

    path: FilePath = Field(description="Relative to the workspace, or absolute.")
    old_str: Text = Field(
        min_length=1,
        max_length=CONTENT_LIMIT,
        description="Exact text to replace, with its indentation; must occur exactly once.",
    )
    new_str: Text = Field(max_length=CONTENT_LIMIT, description="Text to put in its place.")
    replace_all: bool = Field(
        default=False, description="Replace every occurrence; old_str may then occur often."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.old_str == self.new_str:
            message = "old_str and new_str are equal: nothing would change"
            raise ValueError(message)
        return self


class WriteArguments(Frozen):
    """Create a file or replace all of it."""

    path: FilePath = Field(description="Relative to the workspace, or absolute.")
    content: Text = Field(max_length=CONTENT_LIMIT, description="All of the file's new content.")


class RunChecksArguments(Frozen):
    """Have the repository's checks judge the work as it is, without ending the turn."""


class AskArguments(Frozen):
    """Ask the person; the turn waits for the answer, which may take days."""

    question: Text = Field(
        min_length=1,
        max_length=QUESTION_LIMIT,
        description="What you must know and cannot find out, with all that is needed to decide.",
    )
    options: tuple[OptionText, ...] = Field(
        default=(), max_length=6, description="Answers to choose from, at most six."
    )


class FinishArguments(Frozen):
    """End the turn."""

    summary: Text = Field(
        min_length=1,
        max_length=SUMMARY_LIMIT,
        description="What was done and how it was verified, for the person who reviews it.",
    )


Arguments = (
    BashArguments
    | ViewArguments
    | EditArguments
    | WriteArguments
    | RunChecksArguments
    | AskArguments
    | FinishArguments
)

ARGUMENTS: dict[ToolName, type[Arguments]] = {
    ToolName.BASH: BashArguments,
    ToolName.VIEW: ViewArguments,
    ToolName.EDIT: EditArguments,
    ToolName.WRITE: WriteArguments,
    ToolName.RUN_CHECKS: RunChecksArguments,
    ToolName.ASK: AskArguments,
    ToolName.FINISH: FinishArguments,
}


def canonical(arguments: Arguments) -> bytes:
    """Return the arguments as JSON: all fields in declared order, no spaces; equal ones are equal.

    `ToolCall.source` names these bytes; `<Tool>Arguments.model_validate_json` reads them back.
    """
    return arguments.model_dump_json().encode()
