"""Makes a thing once for all who want it at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Once(Generic[Key, Value]):
    """What is being made, by key; nothing is remembered of it afterwards."""

    def __init__(self) -> None:
        self._making: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key, make: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return what `make` makes, or what it makes for somebody else just now.

        A failure is everybody's. Whoever stops waiting does not stop the making.
        """
        task = self._making.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(make())
            self._making[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: Key, done: "asyncio.Task[Value]") -> None:
        del self._making[key]
        if not done.cancelled():
            done.exception()  # else asyncio complains when nobody waits any more
