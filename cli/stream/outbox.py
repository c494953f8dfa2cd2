"""What a person asked for and the gateway has not answered yet; survives any connection.

One thread puts, another receives the answers: every method may be called from both.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from cli.problems import CliProblem, Code, ExitCode
from workflows.contract.api import Problem
from workflows.contract.socket import MESSAGE_LIMIT_BYTES, Interrupt, Nack, SendPrompt

Wish = SendPrompt | Interrupt


class Outbox:
    """Wishes in the order in which they were made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: ClientConnection | None = None
        self._waiting: dict[str, Wish] = {}
        self._sent: set[str] = set()

    def put(self, wish: Wish) -> None:
        """Send a wish now, or as soon as there is a connection; then until it is answered.

        Raises:
            CliProblem: it is too long for the gateway.
        """
        text = wish.model_dump_json()
        if len(text.encode()) > MESSAGE_LIMIT_BYTES:
            raise CliProblem(
                Code.PROMPT_TOO_LARGE,
                f"the prompt takes {len(text.encode())} bytes, {MESSAGE_LIMIT_BYTES} are possible",
                "write the text into a file of the repository and name it",
                exit_code=ExitCode.USAGE,
            )
        with self._lock:
            self._waiting[wish.id] = wish
            if self._connection is not None:
                self._send(self._connection, wish)

    def answered(self, wish_id: str) -> None:
        """Forget a wish that the gateway has answered."""
        with self._lock:
            self._waiting.pop(wish_id, None)
            self._sent.discard(wish_id)

    def unanswered(self) -> list[Wish]:
        """Return what is not known to have arrived."""
        with self._lock:
            return list(self._waiting.values())

    @contextmanager
    def through(self, connection: ClientConnection) -> Iterator[None]:
        """Send what waits, and everything that is put while the block runs."""
        with self._lock:
            self._connection = connection
            for wish in self._waiting.values():
                self._send(connection, wish)
        try:
            yield
        finally:
            with self._lock:
                self._connection = None

    def doubts(self) -> Iterator[Nack]:
        """Give up the interrupts whose answers a lost connection took along.

        Sent again they could stop the turn after the one that was meant.
        """
        with self._lock:
            doubtful = [
                wish
                for wish in self._waiting.values()
                if isinstance(wish, Interrupt) and wish.id in self._sent
            ]
            for wish in doubtful:
                del self._waiting[wish.id]
            self._sent.clear()
        for wish in doubtful:
            yield Nack(id=wish.id, problem=_UNKNOWN)

    def _send(self, connection: ClientConnection, wish: Wish) -> None:
        # What a closed connection does not take is sent through the next one.
        with suppress(ConnectionClosed):
            self._sent.add(wish.id)
            connection.send(wish.model_dump_json())


_UNKNOWN = Problem(
    title="The outcome is unknown",
    status=503,
    detail="the gateway went away before it confirmed the interrupt",
    code="outcome_unknown",
    hint="see whether the session stopped; if it did not, interrupt it again",
)
