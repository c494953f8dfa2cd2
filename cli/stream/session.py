"""A session, followed over any number of connections."""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from cli.problems import CliProblem
from cli.stream.connection import LostError, connected, is_drained
from cli.stream.items import Item, Waiting
from cli.stream.outbox import Outbox, Wish
from cli.stream.place import Place
from cli.transport import Endpoint
from workflows.contract.api import Decision, PromptBody
from workflows.contract.problems import Code
from workflows.contract.socket import (
    SERVER_MESSAGE,
    Ack,
    Decide,
    Hello,
    Interrupt,
    Nack,
    OutputMessage,
    Ping,
    SendPrompt,
    ServerMessage,
    Subscribe,
)


class Pace(NamedTuple):
    """How patient a stream is; all in seconds."""

    first_pause: float = 0.1
    longest_pause: float = 2.0
    announced: float = 1.0
    """A longer outage is told."""

    quiet: float = 15.0
    """After such a silence a sign of life is asked for; after another one, the gateway is gone."""

    first_repeat: float = 0.5
    longest_repeat: float = 5.0
    """A prompt that the gateway cannot take is sent again after pauses between these two."""


class SessionStream:
    """Everything a session shows from a chosen place on, each thing once and in order.

    One thread iterates over `items`; `prompt`, `interrupt` and `close` may be called by others.
    What a lost connection interrupts goes on where it was, until the gateway is gone for good.
    """

    def __init__(
        self, endpoint: Endpoint, session: str, wanted: Subscribe, pace: Pace | None = None
    ) -> None:
        self._endpoint = endpoint
        self._session = session
        self._place = Place(wanted)
        self._pace = pace or Pace()
        self._outbox = Outbox(self._pace.first_repeat, self._pace.longest_repeat)
        self._closed = threading.Event()
        self._connection: ClientConnection | None = None

    def items(self) -> Iterator[Item]:
        """Yield what happens until the session is closed or all that was wished for is here.

        `close` ends it too.

        Raises:
            CliProblem: the gateway refuses, what it sends has a gap or is not understood, or it
                is gone for good.
        """
        outage = _Outage(self._pace)
        while not self._closed.is_set():
            try:
                for item in self._receive():
                    # One that greets and fails is no better than one that does not answer.
                    if not isinstance(item, Hello):
                        outage = _Outage(self._pace)
                    yield item
            except LostError as lost:
                if not self._endpoint.may_return() and not self._closed.is_set():
                    raise self._endpoint.unreachable(str(lost)) from lost
            else:
                return
            yield from self._outbox.doubts()
            if outage.is_to_be_told():
                yield Waiting(self._endpoint.url)
            self._closed.wait(outage.next_pause())

    def prompt(self, body: PromptBody) -> None:
        """Send a prompt as soon as the gateway is there, and until it takes or refuses it.

        Its answer comes as `Ack` or `Nack`, a `PutOff` may go before.

        Raises:
            CliProblem: it is too long.
        """
        self._outbox.put(SendPrompt(id=body.id, prompt=body))

    def decide(self, decision: Decision) -> None:
        """Answer a question, with the same patience; it fits no other question."""
        self._outbox.put(Decide(id=str(uuid.uuid4()), decision=decision))

    def interrupt(self, reason: str) -> None:
        """Stop what runs; an interrupt that may have been received is not sent again."""
        self._outbox.put(Interrupt(id=str(uuid.uuid4()), reason=reason))

    def unanswered(self) -> list[Wish]:
        """Return the prompts, answers and interrupts that are not known to have arrived."""
        return self._outbox.unanswered()

    def close(self) -> None:
        """End the iteration."""
        self._closed.set()
        connection = self._connection
        if connection is not None:
            connection.close()

    def _receive(self) -> Iterator[Item]:
        with connected(self._endpoint, self._session) as connection:
            self._connection = connection
            if self._closed.is_set():
                return
            connection.send(self._place.subscription().model_dump_json())
            with self._outbox.through(connection):
                for message in self._messages(connection):
                    if isinstance(message, Ack | Nack):
                        answer = self._outbox.answered(message)
                        if answer is not None:
                            yield answer
                    else:
                        yield from self._place.take(message)

    def _messages(self, connection: ClientConnection) -> Iterator[ServerMessage | OutputMessage]:
        """Yield messages until all is sent."""
        asked = False
        while True:
            try:
                message = self._next(connection)
            except TimeoutError:
                if asked:
                    silent = f"it has been silent for {2 * self._pace.quiet:.0f} s"
                    raise LostError(silent) from None
                connection.send(Ping().model_dump_json())
                asked = True
                continue
            except ConnectionClosed as closed:
                if is_drained(closed):
                    return
                raise
            asked = False
            yield _parsed(message)

    def _next(self, connection: ClientConnection) -> str | bytes:
        """Return the next message; what is due meanwhile is sent again.

        Raises:
            TimeoutError: it has been quiet for too long.
        """
        quiet_at = time.monotonic() + self._pace.quiet
        while True:
            self._outbox.repeat()
            until = min(quiet_at, self._outbox.next_due())
            try:
                return connection.recv(timeout=max(0.0, until - time.monotonic()))
            except TimeoutError:
                if time.monotonic() >= quiet_at:
                    raise


class _Outage:
    """How long the gateway has been away, and when it is tried again."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._pause = pace.first_pause
        self._began: float | None = None
        self._told = False

    def is_to_be_told(self) -> bool:
        """Tell, once, that it lasts longer than a moment."""
        now = time.monotonic()
        began = self._began = self._began if self._began is not None else now
        if self._told or now - began < self._pace.announced:
            return False
        self._told = True
        return True

    def next_pause(self) -> float:
        """Return the seconds until the next attempt; clients do not come back all at once."""
        pause = self._pause
        self._pause = min(2 * pause, self._pace.longest_pause)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - it protects nothing


def _parsed(message: str | bytes) -> ServerMessage | OutputMessage:
    try:
        if isinstance(message, str):
            return SERVER_MESSAGE.validate_json(message)
        return OutputMessage.unpack(message)
    except ValueError as error:
        raise CliProblem(
            Code.ANSWER_NOT_UNDERSTOOD,
            "a message of the gateway's live view is not understood",
        ) from error
