"""One answer of a model: from the journal, or else bought from the provider and journaled."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from activities.model import wire
from activities.model.journal import Journal
from activities.model.metering import Meter
from runtime.settings import Settings

Said = Callable[[str], None]
Check = Callable[[wire.Answer], None]
Ask = Callable[[wire.Request, str, Settings, Said], Awaitable[wire.Answer]]


class Purchase(NamedTuple):
    """An answer and what it took to get it."""

    answer: wire.Answer
    requests: int
    """Requests ever begun for it, also those whose answer was lost with a process."""

    is_repeated: bool
    """Whether an earlier attempt had bought it already."""


class _Client(NamedTuple):
    ask: Ask
    context_limit: Callable[[str, Settings], int]


class Buyer:
    """Asks providers, each question at most once unless the process is killed meanwhile."""

    def __init__(self, settings: Settings) -> None:
        """Begin to import litellm; a worker polls before the seconds that takes are over."""
        threading.Thread(target=_import_client, name="import-litellm", daemon=True).start()
        self._settings = settings
        self._meter = Meter()

    async def buy(
        self, journal: Journal, asked: wire.Request, step: str, said: Said, check: Check
    ) -> Purchase:
        """Return the journaled answer to `asked`, or ask, check and journal it.

        Args:
            journal: of this very request.
            asked: the request.
            step: makes the ids of calls that the provider named badly.
            said: called with each piece of an answer's text while it comes in.
            check: raises when an answer is of no use; it is not journaled then.

        Raises:
            ApplicationError: what `chat.ask` and `check` raise.
        """
        answer = await journal.find()
        if answer is not None:
            return Purchase(answer, await journal.begun(), is_repeated=True)
        await journal.begin()
        client = await asyncio.to_thread(_import_client)
        fresh = await self._meter.ask(
            asked.model, lambda: client.ask(asked, step, self._settings, said)
        )
        check(fresh)
        answer = await journal.keep(fresh)
        return Purchase(answer, await journal.begun(), is_repeated=False)

    async def context_limit(self, model: str) -> int:
        """Return how many input tokens a model takes; 0 when nobody knows."""
        client = await asyncio.to_thread(_import_client)
        return client.context_limit(model, self._settings)


def take_any(_answer: wire.Answer) -> None:
    """Find every answer useful."""


def _import_client() -> _Client:
    from activities.model.chat import ask, context_limit

    return _Client(ask, context_limit)
