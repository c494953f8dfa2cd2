"""Answers on disk before they are used, so that no answer is ever bought twice on purpose.

A killed worker can lose only the answer that was on its way; the intent it left makes that
purchase countable.
"""

import asyncio
import json
import secrets
from datetime import UTC, datetime
from typing import Self

from activities.model.wire import Answer, Request
from runtime.store.base import MissingObjectError, ObjectConflictError, Store, sha256
from workflows.contract.base import SessionId
from workflows.contract.model import CompactTranscript, ModelCall


class Journal:
    """The answers and intents of one request, in the store."""

    def __init__(self, store: Store, session: SessionId, place: str, request: Request) -> None:
        """Keep what belongs to `request`; the intents of one `place` are counted together."""
        self._store = store
        # Flat: a folder per step would cost two more syncs a step.
        self._place = f"{place}-"
        self._request = sha256(request.canonical())
        self._model = request.model
        self._answer_key = f"answers/{session}/{self._place}{self._request}"
        self._intents = f"requests/{session}"

    @classmethod
    def of_step(cls, store: Store, call: ModelCall, request: Request) -> Self:
        """Return the journal of a step, whichever model is asked for it."""
        return cls(store, call.session, f"{call.step:06}", request)

    @classmethod
    def of_summary(cls, store: Store, call: CompactTranscript, request: Request) -> Self:
        """Return the journal of one attempt to sum up; a step may need several."""
        place = f"{call.step:06}c{sha256(request.canonical())[:16]}"
        return cls(store, call.session, place, request)

    async def find(self) -> Answer | None:
        """Return the answer to this very request, if one was bought."""
        try:
            data = await self._store.read_async(self._answer_key)
        except MissingObjectError:
            return None
        return Answer.model_validate_json(data)

    async def begin(self) -> None:
        """Record, durably, that a request is about to be sent."""
        intent = {
            "at": datetime.now(UTC).isoformat(),
            "model": self._model,
            "request": self._request,
        }
        key = f"{self._intents}/{self._place}{secrets.token_hex(12)}"
        await self._store.create_async(key, json.dumps(intent).encode())

    async def keep(self, answer: Answer) -> Answer:
        """Keep an answer and return it, or the one that another attempt kept before."""
        try:
            await self._store.create_async(self._answer_key, answer.model_dump_json().encode())
        except ObjectConflictError:
            data = await self._store.read_async(self._answer_key)
            return Answer.model_validate_json(data)
        return answer

    async def begun(self) -> int:
        """Count the requests ever begun at this place, answered or lost."""
        return len(await asyncio.to_thread(self._store.list, self._intents, self._place))
