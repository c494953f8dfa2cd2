"""Finds a box or makes it, and tells a repeated request what the first attempt would have told.

Two files beside the box: `prepared.json` stands when everything is in it, `answer.json` says what
the newest request was told. Whoever is killed before the answer arrives leaves it to the next.
"""

import asyncio
import os

from temporalio.exceptions import ApplicationError

from activities.progress import is_leaving
from activities.sandbox.box import BoxPaths
from activities.sandbox.inside import linux
from activities.sandbox.lifetime import destroy, ensure_running, life
from activities.sandbox.preparation import Preparation, Prepared
from activities.sandbox.provider import Provider
from workflows.contract.base import Frozen
from workflows.contract.sandbox import Opened, OpenSandbox

PREPARED = "prepared.json"
ANSWER = "answer.json"


class Answer(Frozen):
    """What a request was told, and what it was told of."""

    generation: int
    """Of the request; whoever heard the answer asks with another one the next time."""

    how: Opened
    life: str
    """Name of the box's life at that time."""


class Openings:
    """Opens boxes of one provider; its caller sees to it that each is opened once at a time."""

    def __init__(self, preparation: Preparation, provider: Provider) -> None:
        self._preparation = preparation
        self._provider = provider

    async def open(self, paths: BoxPaths, request: OpenSandbox) -> tuple[Prepared, Opened]:
        """Make the box, or have it running; returns what it is and how it came to be so.

        Raises:
            ApplicationError: what `Preparation.fill` raises; nothing of the box is left then.
            BoxFailed: it cannot be started.
        """
        if not (paths.root / PREPARED).exists():
            return await self._make(paths, request), Opened.CREATED
        launch = self._provider.launch(paths, network=False)
        await ensure_running(paths, launch)
        now = life(paths)
        how = _answer_after(_read_answer(paths), request.generation, now)
        _keep(paths, ANSWER, Answer(generation=request.generation, how=how, life=now))
        return read_prepared(paths), how

    async def _make(self, paths: BoxPaths, request: OpenSandbox) -> Prepared:
        try:
            prepared = await self._preparation.fill(paths, request)
        except (ApplicationError, asyncio.CancelledError):
            if not is_leaving():
                await destroy(paths)
            raise
        how = Opened.CREATED
        _keep(paths, ANSWER, Answer(generation=request.generation, how=how, life=life(paths)))
        _keep(paths, PREPARED, prepared)
        return prepared


def read_prepared(paths: BoxPaths) -> Prepared:
    """Return what a box was filled with."""
    return Prepared.model_validate_json((paths.root / PREPARED).read_bytes())


def _read_answer(paths: BoxPaths) -> Answer:
    return Answer.model_validate_json((paths.root / ANSWER).read_bytes())


def _answer_after(known: Answer, generation: int, now: str) -> Opened:
    is_repeat = known.generation == generation
    if is_repeat and known.how is not Opened.ATTACHED:
        return known.how
    return Opened.ATTACHED if known.life == now else Opened.RESTARTED


def _keep(paths: BoxPaths, name: str, record: Frozen) -> None:
    folder = os.open(paths.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        linux.write_durably(folder, name, record.model_dump_json().encode())
    finally:
        os.close(folder)
