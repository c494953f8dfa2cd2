"""Sockets of real sessions: order, resuming, ends, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from temporalio.client import Client

from runtime.store.base import Store
from runtime.store.folder import FolderStore
from tests.fakes import FINISH, Reply
from tests.gateway.conftest import Gateway
from tests.gateway.streaming import (
    ScriptedSandbox,
    Watcher,
    commands_then_finish,
    frame,
    watching,
    working,
)
from tests.workflows.beating import beating
from workflows.contract.base import CommandId
from workflows.contract.events import CommandFinished
from workflows.contract.model import ModelCall
from workflows.contract.output import Channel, LiveText
from workflows.contract.sandbox import CommandOutcome
from workflows.contract.socket import (
    Ack,
    Events,
    Nack,
    OutputChoice,
    OutputEnded,
    OutputSkipped,
    Pong,
    ServerMessage,
    Subscribe,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")


@pytest.fixture
async def sandbox(client: Client, store: Store) -> AsyncIterator[ScriptedSandbox]:
    async with working(client, store, commands_then_finish("make")) as scripted:
        yield scripted


async def test_output_stands_between_the_start_and_the_end(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """A live client gets events and output in the order in which they happened."""
    path = await gateway.create()
    async with watching(gateway, path) as watcher:
        await watcher.until_kind("command.started")
        sandbox.say("s1-0", frame(b"one\n") + frame(b"oops\n", Channel.STDERR))
        await watcher.until(lambda each: each.output("s1-0") == b"one\n")
        sandbox.say("s1-0", frame(b"two\n"))
        sandbox.end("s1-0")
        await watcher.until_kind("command.finished")
        assert watcher.output("s1-0") == b"one\ntwo\n"
        assert watcher.output("s1-0", Channel.STDERR) == b"oops\n"
        assert watcher.ended("s1-0")
        await watcher.until(
            lambda each: each.kinds[-1] == "view.changed" and "pull_request.proposed" in each.kinds
        )
    assert watcher.kinds[0] == "session.started"
    assert watcher.hello is not None
    assert path.endswith(watcher.hello.session.id)
    cursors = [event.cursor for event in watcher.events]
    assert cursors == sorted(set(cursors))


async def test_a_later_client_sees_the_same(gateway: Gateway, sandbox: ScriptedSandbox) -> None:
    """Whoever comes after the end gets every event and every byte, in the same order."""
    path = await gateway.create()
    sandbox.say("s1-0", frame(b"x" * 60_000) * 5)
    sandbox.end("s1-0")
    async with watching(gateway, path) as live:
        await live.until_kind("pull_request.proposed")
    async with watching(gateway, path, Subscribe(follow=False)) as later:
        assert await later.drain() == 1000
    assert later.output("s1-0") == b"x" * 300_000
    shared = len(live.events)
    assert later.events[:shared] == live.events
    finished = later.kinds.index("command.finished")
    order = [type(message).__name__ for message in later.messages]
    first_after = next(
        position
        for position, message in enumerate(later.messages)
        if isinstance(message, Events) and later.events[finished] in message.items
    )
    assert "OutputEnded" in order[:first_after]


async def test_a_client_resumes_where_it_was(gateway: Gateway, sandbox: ScriptedSandbox) -> None:
    """With its last cursor and offsets it gets the rest, neither more nor less."""
    path = await gateway.create()
    async with watching(gateway, path) as first:
        await first.until_kind("command.started")
        sandbox.say("s1-0", frame(b"before"))
        await first.until(lambda each: each.output("s1-0") == b"before")
        cursor, offset = first.events[-1].cursor, first.offsets[CommandId("s1-0")]
    sandbox.say("s1-0", frame(b"after"))
    sandbox.end("s1-0")
    choice = OutputChoice(at={CommandId("s1-0"): offset})
    async with watching(gateway, path, Subscribe(after=cursor, output=choice)) as second:
        await second.until_kind("command.finished")
    assert second.output("s1-0") == b"after"
    assert second.events[0].cursor > cursor


async def test_a_closed_session_is_drained(gateway: Gateway, sandbox: ScriptedSandbox) -> None:
    """The socket ends with 1000 once all is sent; it needs no worker to read it again."""
    path = await gateway.create()
    sandbox.end("s1-0")
    async with watching(gateway, path) as watcher:
        await watcher.until_kind("pull_request.proposed")
        answer = await gateway.http.post(f"{path}/close", json={})
        assert answer.status_code == 202
        assert await watcher.drain() == 1000
    assert watcher.kinds[-1] == "session.closed"


async def test_only_what_is_wanted_is_sent(gateway: Gateway, sandbox: ScriptedSandbox) -> None:
    """Output can be left out; events come all the same."""
    path = await gateway.create()
    sandbox.say("s1-0", frame(b"much"))
    sandbox.end("s1-0")
    choice = OutputChoice(mode="none")
    async with watching(gateway, path, Subscribe(output=choice)) as watcher:
        await watcher.until_kind("pull_request.proposed")
    assert watcher.logs == {}
    assert not any(isinstance(message, OutputEnded) for message in watcher.messages)


async def test_a_running_command_can_be_joined_live(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """From a frame's beginning, without what went long before."""
    path = await gateway.create()
    async with watching(gateway, path) as first:
        for number in range(3):
            sandbox.say("s1-0", frame(bytes([97 + number]) * 30_000))
            await first.until(
                lambda each, number=number: len(each.output("s1-0")) == 30_000 * (number + 1)  # type: ignore[misc]
            )
        choice = OutputChoice(mode="live")
        async with watching(gateway, path, Subscribe(output=choice)) as joined:
            await joined.until(lambda each: len(each.logs.get(CommandId("s1-0"), b"")) > 0)
            sandbox.say("s1-0", frame(b"new"))
            sandbox.end("s1-0")
            await joined.until_kind("command.finished")
        await first.until_kind("command.finished")
    # Its start was among the events this client got, so all of its output was, too.
    assert joined.output("s1-0") == first.output("s1-0")


async def test_what_is_far_behind_can_be_skipped(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """The client is told which bytes it does not get, and can read them by range."""
    path = await gateway.create()
    async with watching(gateway, path) as first:
        sandbox.say("s1-0", frame(b"a" * 60_000) * 10)
        await first.until(lambda each: len(each.output("s1-0")) == 600_000)
        sandbox.say("s1-0", frame(b"b" * 1_000))
        await first.until(lambda each: each.output("s1-0").endswith(b"b"))
        choice = OutputChoice(most_behind=100_000)
        async with watching(gateway, path, Subscribe(output=choice)) as behind:
            await behind.until(lambda each: each.output("s1-0") != b"")
            sandbox.end("s1-0")
            await behind.until_kind("command.finished")
    (skipped,) = (each for each in behind.messages if isinstance(each, OutputSkipped))
    assert (skipped.start, skipped.end) == (0, 10 * 60_013)
    assert behind.output("s1-0") == b"b" * 1_000


async def test_what_there_is_can_be_read_without_waiting(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """A client that does not follow gets all there is, of a running command too, and is done."""
    path = await gateway.create()
    async with watching(gateway, path) as first:
        sandbox.say("s1-0", frame(b"so far"))
        await first.until(lambda each: each.output("s1-0") == b"so far")
        async with watching(gateway, path, Subscribe(follow=False)) as reader:
            assert await reader.drain() == 1000
        sandbox.end("s1-0")
        await first.until_kind("command.finished")
    assert reader.output("s1-0") == b"so far"


async def test_more_bytes_than_there_are_cannot_be_claimed(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """The socket closes with the size that there is."""
    path = await gateway.create()
    sandbox.say("s1-0", frame(b"short"))
    sandbox.end("s1-0")
    choice = OutputChoice(at={CommandId("s1-0"): 999})
    async with watching(gateway, path, Subscribe(output=choice)) as watcher:
        assert await watcher.drain() == 4400
        assert "has 18 bytes" in (watcher.socket.close_reason or "")


async def test_output_that_the_store_lost_is_told_as_skipped(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """And everything after it comes all the same."""
    path = await gateway.create()
    sandbox.say("s1-0", frame(b"kept"))
    sandbox.end("s1-0", missing=100)
    async with watching(gateway, path) as watcher:
        await watcher.until_kind("pull_request.proposed")
    (skipped,) = (each for each in watcher.messages if isinstance(each, OutputSkipped))
    assert (skipped.start, skipped.end) == (17, 117)
    assert watcher.output("s1-0") == b"kept"


async def test_a_chatty_command_does_not_keep_a_reader(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """Who does not follow gets what there was when it came, however much is printed meanwhile."""
    path = await gateway.create()
    done = asyncio.Event()

    async def chat() -> None:
        while not done.is_set():
            sandbox.say("s1-0", frame(b"more" * 500))
            await asyncio.sleep(0.001)  # a rate, not a synchronisation

    async with watching(gateway, path) as first, asyncio.TaskGroup() as tasks:
        tasks.create_task(chat())
        await first.until(lambda each: len(each.output("s1-0")) > 20_000)
        async with watching(gateway, path, Subscribe(follow=False)) as reader:
            assert await reader.drain() == 1000
        done.set()
        sandbox.end("s1-0")
        await first.until_kind("command.finished")
    assert len(reader.output("s1-0")) > 20_000
    assert first.output("s1-0").startswith(reader.output("s1-0"))


async def test_a_session_ended_by_force_gives_its_output(
    client: Client, gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """Those who were there and those who come later get the same, although no command ended."""
    path = await gateway.create()
    async with watching(gateway, path) as live:
        sandbox.say("s1-0", frame(b"until then"))
        await live.until(lambda each: each.output("s1-0") == b"until then")
        await client.get_workflow_handle(path.rpartition("/")[2]).terminate("by force")
        assert await live.drain() == 1000
    assert live.kinds[-1] == "session.broken"
    assert live.ended("s1-0")
    async with watching(gateway, path) as later:
        assert await later.drain() == 1000
    assert later.events == live.events
    assert later.logs == live.logs


async def test_recent_events_come_first(gateway: Gateway, sandbox: ScriptedSandbox) -> None:
    """A client may begin with the newest few."""
    path = await gateway.create()
    sandbox.end("s1-0")
    async with watching(gateway, path) as whole:
        await whole.until_kind("pull_request.proposed")
        await gateway.http.post(f"{path}/close", json={})
        await whole.drain()
    async with watching(gateway, path, Subscribe(recent=5)) as recent:
        assert await recent.drain() == 1000
    assert recent.events == whole.events[-5:]


async def ask(watcher: Watcher, message: Mapping[str, object]) -> ServerMessage:
    """Send a message and take what answers its id."""
    await watcher.socket.send(json.dumps(message))
    while True:
        answer = await watcher.next()
        if isinstance(answer, Ack | Nack | Pong) and answer.id == message["id"]:
            return answer


@pytest.mark.usefixtures("sandbox")
async def test_a_client_prompts_and_interrupts(gateway: Gateway) -> None:
    """Each is acknowledged once it is durable; repeating the same prompt is harmless."""
    path = await gateway.create()
    follow_up = gateway.asked("more")["prompt"]
    async with watching(gateway, path) as watcher:
        await watcher.until_kind("command.started")
        assert isinstance(await ask(watcher, {"type": "ping", "id": "p"}), Pong)
        for _ in range(2):
            message = {"type": "prompt", "id": "c1", "prompt": follow_up}
            assert isinstance(await ask(watcher, message), Ack)
        interrupt = {"type": "interrupt", "id": "c2", "reason": "enough"}
        assert isinstance(await ask(watcher, interrupt), Ack)
        stopped = await watcher.until_kind("command.finished")
        assert isinstance(stopped.event, CommandFinished)
        assert stopped.event.outcome is CommandOutcome.STOPPED
        await watcher.until(lambda each: each.kinds.count("step.asked") == 2)
    assert "interrupt.requested" in watcher.kinds


async def test_what_cannot_be_done_is_refused_with_a_problem(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """And the socket goes on."""
    path = await gateway.create()
    first = gateway.asked("one")["prompt"]
    assert isinstance(first, dict)
    async with watching(gateway, path) as watcher:
        await ask(watcher, {"type": "prompt", "id": "1", "prompt": first})
        other = {"type": "prompt", "id": "2", "prompt": {**first, "text": "two"}}
        refused = await ask(watcher, other)
        assert isinstance(refused, Nack)
        assert refused.problem.code == "prompt_conflict"
        answer = {"question": "0" * 16, "approved": True}
        refused = await ask(watcher, {"type": "decide", "id": "3", "decision": answer})
        assert isinstance(refused, Nack)
        assert refused.problem.code == "question_not_open"
        assert refused.problem.hint
        assert isinstance(await ask(watcher, {"type": "ping", "id": "4"}), Pong)
        sandbox.end("s1-0")


async def test_text_comes_as_it_is_written(client: Client, gateway: Gateway, store: Store) -> None:
    """Piece by piece, each once; a new attempt begins anew."""
    go_on = [asyncio.Event() for _ in range(2)]

    async def slowly(_call: ModelCall) -> Reply:
        first, second = (LiveText(turn=1, step=1, epoch=epoch, start=0) for epoch in (1, 2))
        await beating(go_on[0].wait(), first, "größer".encode())
        await beating(go_on[1].wait(), first, "größer als".encode())
        await beating(done.wait(), second, b"anew")
        return FINISH

    done = asyncio.Event()
    async with working(client, store, slowly):
        path = await gateway.create()
        async with watching(gateway, path) as watcher:
            await watcher.until(lambda each: each.texts(1) == "größer")
            go_on[0].set()
            await watcher.until(lambda each: each.texts(1) == "größer als")
            go_on[1].set()
            await watcher.until(lambda each: each.texts(2) == "anew")
            done.set()
            await watcher.until_kind("step.taken")
