"""Answers on disk before they are used, so that no answer is ever bought twice on purpose.

A killed worker can lose only the answer that was on its way; the intent it left makes that
purchase countable.
"""

import asyncio
import json
import secrets
from datetime import UTC, datetime

from activities.model.wire import Answer, Request
from runtime.store.base import MissingObjectError, ObjectConflictError, Store, sha256
from workflows.contract.model import ModelCall


class Journal:
    """The answers and intents of one step's request, in the store."""

    def __init__(self, store: Store, call: ModelCall, request: Request) -> None:
        self._store = store
        # Flat: a folder per step would cost two more syncs a step.
        self._step = f"{call.step:06}-"
        self._request = sha256(request.canonical())
        self._model = request.model
        self._answer_key = f"answers/{call.session}/{self._step}{self._request}"
        self._intents = f"requests/{call.session}"

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
        key = f"{self._intents}/{self._step}{secrets.token_hex(12)}"
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
        """Count the requests ever begun for this step, answered or lost."""
        return len(await asyncio.to_thread(self._store.list, self._intents, self._step))
