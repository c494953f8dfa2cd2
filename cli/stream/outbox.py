"""What a person asked for and the gateway has not answered yet; survives any connection.

One thread puts, another receives the answers: every method may be called from both.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from cli.problems import CliProblem
from cli.stream.items import PutOff
from workflows.contract.api import Problem
from workflows.contract.problems import Code
from workflows.contract.socket import (
    MESSAGE_LIMIT_BYTES,
    Ack,
    Decide,
    Interrupt,
    Nack,
    SendPrompt,
)

Wish = SendPrompt | Decide | Interrupt
"""Prompts and answers may be sent again, since each is done once at most; interrupts may not."""

_UNAVAILABLE = 503


class Outbox:
    """Wishes in the order in which they were made.

    Prompts and answers that the gateway could not take are sent again after a pause, which grows
    from `first_pause` to `longest_pause` seconds until something is taken; later ones wait too.
    """

    def __init__(self, first_pause: float, longest_pause: float) -> None:
        self._first_pause = self._pause = first_pause
        self._longest_pause = longest_pause
        self._lock = threading.Lock()
        self._connection: ClientConnection | None = None
        self._waiting: dict[str, Wish] = {}
        self._sent: set[str] = set()
        self._put_off: set[str] = set()
        """Those of which the person was told."""

        self._due: float | None = None
        """When the pause ends."""

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
            )
        with self._lock:
            self._waiting[wish.id] = wish
            if self._due is None or isinstance(wish, Interrupt):
                self._send(wish)

    def answered(self, answer: Ack | Nack) -> Ack | Nack | PutOff | None:
        """Take the gateway's answer to a wish; return what it means to the person, if anything.

        A prompt or an answer to a question that could not be taken, or is not known to be, is kept
        and sent again; anything else settles its wish.
        """
        with self._lock:
            wish = self._waiting.get(answer.id)
            if isinstance(wish, SendPrompt | Decide):
                if isinstance(answer, Nack) and answer.problem.status == _UNAVAILABLE:
                    return self._postpone(wish, answer.problem)
                self._pause = self._first_pause
            self._waiting.pop(answer.id, None)
            self._sent.discard(answer.id)
            self._put_off.discard(answer.id)
        return answer

    def next_due(self) -> float:
        """Return the moment, by the monotonic clock, at which `repeat` has something to send."""
        with self._lock:
            return math.inf if self._due is None else self._due

    def repeat(self) -> None:
        """Send again what was put off, once its pause is over."""
        with self._lock:
            if self._due is None or time.monotonic() < self._due:
                return
            self._due = None
            for wish in self._waiting.values():
                if wish.id not in self._sent:
                    self._send(wish)

    def unanswered(self) -> list[Wish]:
        """Return what is not known to have arrived."""
        with self._lock:
            return list(self._waiting.values())

    @contextmanager
    def through(self, connection: ClientConnection) -> Iterator[None]:
        """Send what waits, and everything that is put while the block runs."""
        with self._lock:
            self._connection = connection
            self._due = None
            for wish in self._waiting.values():
                self._send(wish)
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

    def _send(self, wish: Wish) -> None:
        if self._connection is None:
            return
        # What a closed connection does not take is sent through the next one.
        with suppress(ConnectionClosed):
            self._sent.add(wish.id)
            self._connection.send(wish.model_dump_json())

    def _postpone(self, wish: SendPrompt | Decide, problem: Problem) -> PutOff | None:
        self._sent.discard(wish.id)
        if self._due is None:
            self._due = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, self._longest_pause)
        if wish.id in self._put_off:
            return None
        self._put_off.add(wish.id)
        return PutOff(wish, problem)


_UNKNOWN = Problem(
    title="The outcome is unknown",
    status=503,
    detail="the gateway went away before it confirmed the interrupt",
    code="outcome_unknown",
    hint="see whether the session stopped; if it did not, interrupt it again",
)
