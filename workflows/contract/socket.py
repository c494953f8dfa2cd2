"""What a session's websocket carries; described for clients in `docs/api.md`.

Text messages are JSON objects told apart by `type`. Binary messages carry output only; see
`OutputMessage`.
"""

import struct
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from workflows.contract.api import Decision, Problem, PromptBody, SessionResource
from workflows.contract.base import CommandId, Frozen
from workflows.contract.events import Cursor, SessionEvent

PROTOCOL = "overnight.v1"
"""The subprotocol; another version gets another name."""

TICKET_PREFIX = "ticket."
"""A browser, which cannot set headers, offers `ticket.<ticket>` as a second subprotocol."""

MESSAGE_LIMIT_BYTES = 1024 * 1024
"""A longer message of a client is refused with 1009."""


class CloseCode:
    """Why the gateway closes a socket."""

    DRAINED = 1000
    """The session is closed, or the client did not want to follow; all of it was sent."""

    NOT_TEXT = 1003
    INTERNAL = 1011
    LATER = 1013
    """The client did not read for long, too many are connected, or Temporal or the store does not
    answer: connect again later."""

    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    SESSION_UNKNOWN = 4404
    TIMEOUT = 4408
    """The client did not subscribe in time."""

    WRONG_PROTOCOL = 4409


class Authenticate(Frozen):
    """First message of a client that could send neither header nor ticket before."""

    type: Literal["authenticate"] = "authenticate"
    token: str = Field(max_length=1_000)


class OutputChoice(Frozen):
    """Which output a client wants."""

    mode: Literal["all", "live", "none"] = "all"
    """Of commands that started before the first event sent: `all` of it or what comes from now."""

    commands: tuple[CommandId, ...] | None = Field(default=None, max_length=1_000)
    """Only these; every command when none are named."""

    at: dict[CommandId, Annotated[int, Field(ge=0)]] = Field(default={}, max_length=1_000)
    """Bytes that the client has already, of commands whose end it has not seen."""

    most_behind: int | None = Field(default=None, ge=0)
    """Skip, and say so, whatever of a command's output is more bytes behind its newest byte."""


class Subscribe(Frozen):
    """Begin to receive; once per connection."""

    type: Literal["subscribe"] = "subscribe"
    after: Cursor | None = Field(default=None, max_length=60)
    """The last event that the client has; it has none when none is given."""

    recent: int | None = Field(default=None, ge=0, le=10_000)
    """Without `after`: begin with so many of the newest events instead of the first one."""

    follow: bool = True
    """Go on with what is new; else the socket is closed when all that there was is sent."""

    output: OutputChoice = OutputChoice()


class SendPrompt(Frozen):
    """Give the session a prompt, as the REST operation does."""

    type: Literal["prompt"] = "prompt"
    id: str = Field(max_length=100)
    prompt: PromptBody


class Interrupt(Frozen):
    """Stop what runs."""

    type: Literal["interrupt"] = "interrupt"
    id: str = Field(max_length=100)
    reason: str = Field(default="", max_length=200)


class Decide(Frozen):
    """Answer the question that the session waits for, as the REST operation does."""

    type: Literal["decide"] = "decide"
    id: str = Field(max_length=100)
    decision: Decision


class Ping(Frozen):
    """Ask for a sign of life."""

    type: Literal["ping"] = "ping"
    id: str = Field(default="", max_length=100)


ClientMessage = Annotated[
    Authenticate | Subscribe | SendPrompt | Interrupt | Decide | Ping, Field(discriminator="type")
]
CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


class Hello(Frozen):
    """Answer to `subscribe`: the session as it is, and its newest event."""

    type: Literal["hello"] = "hello"
    session: SessionResource
    head: Cursor | None


class Events(Frozen):
    """The next events, in order, none left out."""

    type: Literal["events"] = "events"
    items: tuple[SessionEvent, ...]


class CaughtUp(Frozen):
    """Everything that had happened before has been sent; what follows is live."""

    type: Literal["caught_up"] = "caught_up"


class OutputEnded(Frozen):
    """All of a command's output has been sent."""

    type: Literal["output.ended"] = "output.ended"
    command_id: CommandId
    end: int


class OutputSkipped(Frozen):
    """Output was left out because the client wished so, or because the store has lost it.

    A frame begins at `end`. The REST interface has what the store has.
    """

    type: Literal["output.skipped"] = "output.skipped"
    command_id: CommandId
    start: int
    end: int


class Text(Frozen):
    """What the model's reply says so far; may be lost, and is repeated by `step.taken`."""

    type: Literal["text"] = "text"
    turn: int
    step: int
    epoch: int
    """A higher one drops the text of the lower ones."""

    start: int
    """UTF-8 bytes of this reply that go before; more than the client has when some were missed."""

    text: str


class Trouble(Frozen):
    """Why what runs is tried again; empty when it is not."""

    type: Literal["trouble"] = "trouble"
    text: str


class Ack(Frozen):
    """What the client asked for under this id is done for good."""

    type: Literal["ack"] = "ack"
    id: str


class Nack(Frozen):
    """What the client asked for was not done, or is not known to be."""

    type: Literal["nack"] = "nack"
    id: str
    problem: Problem


class Pong(Frozen):
    """Answer to `ping`."""

    type: Literal["pong"] = "pong"
    id: str


ServerMessage = Annotated[
    Hello | Events | CaughtUp | OutputEnded | OutputSkipped | Text | Trouble | Ack | Nack | Pong,
    Field(discriminator="type"),
]
SERVER_MESSAGE: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


class Ticket(Frozen):
    """Lets a browser open one socket, once, within `expires_in_seconds`."""

    object: Literal["ticket"] = "ticket"
    ticket: str
    expires_in_seconds: int


_OUTPUT_HEAD = struct.Struct(">BQB")
_OUTPUT_VERSION = 1


class OutputMessage(NamedTuple):
    """A binary message: the next bytes of a command's log, cut anywhere.

    One byte 1, eight bytes offset of the first byte in the log, one byte length of the command's
    id, the id in ASCII, then bytes of the log (`workflows/contract/output.py`); big-endian.
    """

    command_id: CommandId
    offset: int
    data: bytes

    def pack(self) -> bytes:
        """Return the message as it is sent."""
        name = self.command_id.encode()
        return b"".join(
            (_OUTPUT_HEAD.pack(_OUTPUT_VERSION, self.offset, len(name)), name, self.data)
        )

    @classmethod
    def unpack(cls, message: bytes) -> "OutputMessage":
        """Read a message.

        Raises:
            ValueError: it is none.
        """
        try:
            version, offset, length = _OUTPUT_HEAD.unpack_from(message)
        except struct.error as error:
            problem = "the message is too short"
            raise ValueError(problem) from error
        begin = _OUTPUT_HEAD.size + length
        if version != _OUTPUT_VERSION or len(message) < begin:
            problem = f"no output message of version {_OUTPUT_VERSION}"
            raise ValueError(problem)
        name = message[_OUTPUT_HEAD.size : begin].decode("ascii")
        return cls(CommandId(name), offset, message[begin:])
