"""Transcripts in the store: messages named by content, listed by manifests.

A manifest lists at most 256 entries; every 16 messages share one packed object, so a model call
of a long session reads tens of objects, not hundreds. A full manifest is continued by a new one
that names it. Appending the same messages to the same head gives the same head again.
"""

import asyncio
from collections import OrderedDict

from pydantic import Field, TypeAdapter

from runtime.store.base import Store, sha256
from workflows.contract.base import Frozen, Sha256
from workflows.contract.transcript import Message, TranscriptHead

PACK_SIZE = 16
MANIFEST_ENTRIES = 256
CACHED_OBJECTS = 4_096

_MESSAGES: TypeAdapter[list[Message]] = TypeAdapter(list[Message])


class Manifest(Frozen):
    """The order of a transcript's messages."""

    previous: Sha256 | None = None
    """A full manifest whose messages go before these."""

    compacted_from: Sha256 | None = None
    """The transcript that this one sums up; it is not read for it."""

    packs: tuple[Sha256, ...] = ()
    """Objects of 16 messages each."""

    nodes: tuple[Sha256, ...] = Field(default=(), max_length=PACK_SIZE)
    """Objects of one message each, newer than the packs."""


class Transcripts:
    """Reads and extends transcripts; holds nothing but a cache of immutable objects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: OrderedDict[Sha256, bytes] = OrderedDict()

    async def put(self, message: Message) -> Sha256:
        """Keep one message and return its name, to be appended by a later model call."""
        return await self._keep(_MESSAGES.dump_json([message]))

    async def load(self, head: TranscriptHead) -> list[Message]:
        """Return all messages of a transcript, oldest first.

        Raises:
            MissingObjectError: the head names an object the store does not have.
        """
        chain = [await self._manifest(head.manifest)]
        while chain[0].previous is not None:
            chain.insert(0, await self._manifest(chain[0].previous))
        names = [name for manifest in chain for name in (*manifest.packs, *manifest.nodes)]
        parts = await asyncio.gather(*(self._fetch(name) for name in names))
        return [message for part in parts for message in _MESSAGES.validate_json(part)]

    async def get(self, name: Sha256) -> Message:
        """Return one message kept with `put`."""
        (message,) = _MESSAGES.validate_json(await self._fetch(name))
        return message

    async def compact(self, head: TranscriptHead, messages: list[Message]) -> TranscriptHead:
        """Return the head of a new transcript of `messages` that stands for the one at `head`."""
        return await self._append(Manifest(compacted_from=head.manifest), 0, messages)

    async def append(self, head: TranscriptHead, messages: list[Message]) -> TranscriptHead:
        """Return the head of the transcript with `messages` at its end.

        The new objects are synced side by side: each is named by its content, so their order on
        the disk does not matter as long as all stand when the head is returned.
        """
        return await self._append(await self._manifest(head.manifest), head.messages, messages)

    async def _append(
        self, manifest: Manifest, before: int, messages: list[Message]
    ) -> TranscriptHead:
        made: list[bytes] = []
        for message in messages:
            if len(manifest.packs) + len(manifest.nodes) >= MANIFEST_ENTRIES:
                manifest = Manifest(previous=self._note(made, _dump(manifest)))
            manifest = await self._extend(manifest, message, made)
        name = self._note(made, _dump(manifest))
        await asyncio.gather(*(self._keep(data) for data in made))
        return TranscriptHead(manifest=name, messages=before + len(messages))

    async def _extend(self, manifest: Manifest, message: Message, made: list[bytes]) -> Manifest:
        nodes = (*manifest.nodes, self._note(made, _MESSAGES.dump_json([message])))
        if len(nodes) < PACK_SIZE:
            return manifest.model_copy(update={"nodes": nodes})
        pack = _MESSAGES.dump_json([await self.get(node) for node in nodes])
        packs = (*manifest.packs, self._note(made, pack))
        return manifest.model_copy(update={"packs": packs, "nodes": ()})

    def _note(self, made: list[bytes], data: bytes) -> Sha256:
        made.append(data)
        name = sha256(data)
        self._remember(name, data)
        return name

    async def _manifest(self, name: Sha256 | None) -> Manifest:
        return Manifest() if name is None else Manifest.model_validate_json(await self._fetch(name))

    async def _keep(self, data: bytes) -> Sha256:
        name = sha256(data)
        await self._store.create_async(_key(name), data)
        self._remember(name, data)
        return name

    async def _fetch(self, name: Sha256) -> bytes:
        if name in self._cache:
            self._cache.move_to_end(name)
            return self._cache[name]
        data = await self._store.read_async(_key(name))
        self._remember(name, data)
        return data

    def _remember(self, name: Sha256, data: bytes) -> None:
        self._cache[name] = data
        while len(self._cache) > CACHED_OBJECTS:
            self._cache.popitem(last=False)


async def keep_arguments(store: Store, data: bytes) -> Sha256:
    """Keep a tool call's arguments, as canonical JSON, for the adapter that carries it out."""
    name = sha256(data)
    await store.create_async(_arguments_key(name), data)
    return name


async def read_arguments(store: Store, name: Sha256) -> bytes:
    """Return the arguments that `ToolCall.source` names.

    Raises:
        MissingObjectError: they were never kept.
    """
    return await store.read_async(_arguments_key(name))


async def keep_instructions(store: Store, text: str) -> Sha256:
    """Keep a repository's text for agents, for the model adapter that shows it."""
    data = text.encode("utf-8", "replace")
    name = sha256(data)
    await store.create_async(_instructions_key(name), data)
    return name


async def read_instructions(store: Store, name: Sha256) -> str:
    """Return the text that `CheckPlan.instructions` names.

    Raises:
        MissingObjectError: it was never kept.
    """
    return (await store.read_async(_instructions_key(name))).decode("utf-8", "replace")


def _dump(manifest: Manifest) -> bytes:
    return manifest.model_dump_json().encode()


def _key(name: Sha256) -> str:
    return f"transcripts/{name[:2]}/{name}"


def _arguments_key(name: Sha256) -> str:
    return f"arguments/{name[:2]}/{name}"


def _instructions_key(name: Sha256) -> str:
    return f"instructions/{name[:2]}/{name}"
