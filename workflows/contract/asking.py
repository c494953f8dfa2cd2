"""What a session asks a person and waits for, for days if need be, and what the person answers."""

from enum import StrEnum

from pydantic import Field

from workflows.contract.base import Frozen, Sha256

ANSWER_CHARACTERS = 2_000


class AskedKind(StrEnum):
    """What is asked."""

    QUESTION = "question"
    """The model wants to know something."""

    COMMAND = "command"
    """May exactly this command be run?"""

    PULL_REQUEST = "pull_request"
    """May exactly these files be proposed?"""

    BUDGET = "budget"
    """May the turn use as much again?"""

    VERDICT = "verdict"
    """The checks stay red and the model gets no further: propose it all the same?"""


class Asked(Frozen):
    """One open question; its id follows from what it is about, so an answer fits nothing else."""

    id: str = Field(pattern=r"^[0-9a-f]{16}$")
    kind: AskedKind
    text: str = Field(max_length=600)
    """The question in words."""

    options: tuple[str, ...] = Field(default=(), max_length=6)
    """Answers to choose from; others are taken too."""

    subject: str = Field(default="", max_length=500)
    """What exactly it is about: the command's beginning, `tree <sha>`."""

    source: Sha256 | None = None
    """Object with the whole command, as the call's canonical arguments."""


class DecideSignal(Frozen):
    """A person's answer to one open question; for any other it changes nothing."""

    question: str = Field(max_length=100)
    approved: bool
    """Whether what was asked for may be done; true with a text answers a model's question."""

    text: str = Field(default="", max_length=ANSWER_CHARACTERS)
    """For the model: the answer, or why not."""
