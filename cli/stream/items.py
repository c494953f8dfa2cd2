"""What a followed session is made of, as the commands get it."""

from typing import NamedTuple

from workflows.contract.api import Problem
from workflows.contract.base import CommandId
from workflows.contract.events import SessionEvent
from workflows.contract.output import OutputFrame
from workflows.contract.socket import (
    Ack,
    CaughtUp,
    Decide,
    Hello,
    Nack,
    OutputEnded,
    OutputSkipped,
    SendPrompt,
    Text,
    Trouble,
)


class Output(NamedTuple):
    """The next frames of a command's log, none left out since the ones before."""

    command_id: CommandId
    offset: int
    """Where the first of these frames begins in the log."""

    frames: tuple[OutputFrame, ...]


class Waiting(NamedTuple):
    """The gateway has been away for longer than a moment; told once per outage."""

    url: str


class Reconnected(NamedTuple):
    """All that had happened while the gateway was away has been received."""

    events: int
    """How many events that was."""


class PutOff(NamedTuple):
    """A prompt or an answer cannot be taken now, and is sent again until it is; told once each."""

    wish: SendPrompt | Decide
    problem: Problem


Item = (
    Hello
    | SessionEvent
    | Output
    | OutputEnded
    | OutputSkipped
    | Text
    | Trouble
    | CaughtUp
    | Reconnected
    | Waiting
    | Ack
    | Nack
    | PutOff
)
