"""Transcripts named by their content."""

import pytest

from runtime.store.base import MissingObjectError, Store, sha256
from runtime.transcript import (
    MANIFEST_ENTRIES,
    PACK_SIZE,
    Transcripts,
    keep_arguments,
    keep_instructions,
    read_arguments,
    read_instructions,
)
from workflows.contract.base import Sha256
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
    TranscriptHead,
    UserMessage,
)


def conversation(length: int) -> list[Message]:
    call = RequestedCall(id="c", name="bash", arguments="{}")
    turns: list[Message] = []
    for number in range(length):
        turns.append(AssistantMessage(text=f"step {number}", calls=(call,)))
        turns.append(ToolMessage(call_id="c", text=f"\N{OWL} result {number}"))
    return [UserMessage(text="task"), *turns][:length]


@pytest.mark.parametrize("length", [0, 1, PACK_SIZE - 1, PACK_SIZE, PACK_SIZE + 1, 100])
async def test_messages_come_back_in_order(store: Store, length: int) -> None:
    """However they were appended, and to a reader that has cached nothing."""
    messages = conversation(length)
    at_once = await Transcripts(store).append(TranscriptHead(), messages)
    writer, head = Transcripts(store), TranscriptHead()
    for message in messages:
        head = await writer.append(head, [message])
    assert head.messages == at_once.messages == length
    assert await Transcripts(store).load(head) == messages
    assert await Transcripts(store).load(at_once) == messages


async def test_a_full_manifest_is_continued(store: Store) -> None:
    """A transcript has no end; each manifest stays small."""
    messages = conversation(PACK_SIZE * MANIFEST_ENTRIES + 40)
    head = await Transcripts(store).append(TranscriptHead(), messages)
    assert await Transcripts(store).load(head) == messages
    assert head.manifest is not None
    size = len(store.read(f"transcripts/{head.manifest[:2]}/{head.manifest}"))
    assert size < MANIFEST_ENTRIES * 80


async def test_appending_again_gives_the_same_head(store: Store) -> None:
    """So a repeated activity makes nothing new."""
    head = await Transcripts(store).append(TranscriptHead(), conversation(30))
    more = conversation(5)
    first = await Transcripts(store).append(head, more)
    assert await Transcripts(store).append(head, more) == first


async def test_a_kept_message_is_appended_without_a_copy(store: Store) -> None:
    """A sandbox keeps its result; the model's transcript names the same object."""
    transcripts = Transcripts(store)
    message = ToolMessage(call_id="c", text="result")
    name = await transcripts.put(message)
    assert await Transcripts(store).get(name) == message
    before = len(store.list(f"transcripts/{name[:2]}"))
    await transcripts.append(TranscriptHead(), [message])
    assert len(store.list(f"transcripts/{name[:2]}")) - before in (0, 1)


async def test_a_lost_object_is_an_error(store: Store) -> None:
    """A transcript is never shorter in silence."""
    lost = TranscriptHead(manifest=Sha256("0" * 64), messages=3)
    with pytest.raises(MissingObjectError):
        await Transcripts(store).load(lost)


async def test_arguments_are_named_by_their_content(store: Store) -> None:
    """They read back as they were kept."""
    name = await keep_arguments(store, b'{"command":"ls"}')
    assert name == sha256(b'{"command":"ls"}')
    assert await read_arguments(store, name) == b'{"command":"ls"}'


async def test_instructions_are_named_by_their_content(store: Store) -> None:
    """They read back as they were kept, what cannot be written is replaced."""
    name = await keep_instructions(store, "Run make.\n")
    assert await keep_instructions(store, "Run make.\n") == name
    assert await read_instructions(store, name) == "Run make.\n"
    odd = await keep_instructions(store, "half \ud800")
    assert await read_instructions(store, odd) == "half ?"
