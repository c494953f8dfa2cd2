"""Makes what a person typed into what the gateway is asked; refuses what cannot be asked."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pydantic import ValidationError

from cli import wording
from cli.problems import CliProblem
from workflows.contract.api import Configure, CreateSession, PromptBody
from workflows.contract.base import PromptId
from workflows.contract.problems import Code
from workflows.contract.sandbox import Repository
from workflows.contract.session import Approvals, Budget, PromptMode


class Limits(NamedTuple):
    """Whom a session asks and what it may use, as far as the person says."""

    model: str | None = None
    fallbacks: tuple[str, ...] = ()
    steps: int | None = None
    minutes: float | None = None
    tokens: int | None = None
    cost: float | None = None

    def budget(self) -> dict[str, float]:
        """Return the named fields of a `Budget`."""
        named = {
            "steps": self.steps,
            "minutes": self.minutes,
            "tokens": self.tokens,
            "cost_usd": self.cost,
        }
        return {name: value for name, value in named.items() if value is not None}


class Request(NamedTuple):
    """What `run` is asked for."""

    prompt: str
    repo: str
    base: str | None
    limits: Limits
    approve_commands: tuple[str, ...]
    approve_pull_request: bool


class FollowUp(NamedTuple):
    """What `prompt` is asked for."""

    text: str
    mode: str
    limits: Limits


def prompt_text(text: str, what: str = "prompt") -> str:
    """Return the text of a prompt, or of `what` it is, read from stdin if it is `-`.

    Raises:
        CliProblem: there is none, or it is not UTF-8.
    """
    try:
        text = sys.stdin.buffer.read().decode() if text == "-" else text
        text.encode()
    except UnicodeError as error:
        raise CliProblem(
            Code.PROMPT_UNREADABLE,
            f"the {what} is not UTF-8",
        ) from error
    if not text.strip():
        raise CliProblem(
            Code.PROMPT_EMPTY,
            f"the {what} is empty",
        )
    return text


def prompt_body(text: str, mode: PromptMode = PromptMode.QUEUE) -> PromptBody:
    """Make a prompt with an id of its own."""
    return PromptBody(id=PromptId(str(uuid.uuid4())), text=text, mode=mode)


def creation(text: str, chosen: Repository, request: Request) -> CreateSession:
    """Make the request for a new session.

    Raises:
        CliProblem: an option has a value that cannot be.
    """
    limits = request.limits
    with asking_what_can_be("run"):
        return CreateSession(
            prompt=prompt_body(text),
            repository=chosen,
            model=limits.model,
            fallbacks=limits.fallbacks,
            budget=Budget.model_validate(limits.budget()),
            approvals=Approvals(
                commands=request.approve_commands, pull_request=request.approve_pull_request
            ),
        )


def change(limits: Limits, before: Budget) -> Configure:
    """Make the request to go on otherwise; what is not named stays.

    Raises:
        CliProblem: an option has a value that cannot be.
    """
    named = limits.budget()
    if limits == Limits():
        raise CliProblem(
            Code.REQUEST_INVALID,
            "nothing is to be changed",
            "name what is: --model, --fallback, --steps, --minutes, --tokens or --cost",
        )
    with asking_what_can_be("configure"):
        return Configure(
            model=limits.model,
            fallbacks=limits.fallbacks or None,
            budget=Budget.model_validate(before.model_dump() | named) if named else None,
        )


@contextmanager
def asking_what_can_be(command: str) -> Iterator[None]:
    """Refuse, naming the option, what does not fit the interface."""
    try:
        yield
    except ValidationError as error:
        raise CliProblem(
            Code.REQUEST_INVALID,
            f"this cannot be asked for: {wording.wrong(error)}",
            f"see: overnight {command} --help",
        ) from error
