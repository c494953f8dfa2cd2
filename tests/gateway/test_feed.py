"""A session's events over its runs: pages, streams, and clients that come and go."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.store.base import Store
from runtime.store.folder import FolderStore
from tests.chaos.proxy import ChaosProxy
from tests.conftest import EMPTY_NAMESPACE
from tests.gateway.conftest import Gateway, serving
from tests.gateway.streaming import (
    ScriptedSandbox,
    Watcher,
    commands_then_finish,
    frame,
    watching,
    working,
)
from workflows.contract.base import CommandId
from workflows.contract.events import EventPage, SessionEvent
from workflows.contract.session import Phase
from workflows.contract.socket import OutputChoice, Subscribe

COMMANDS = 18
"""Make more than 200 events of history, so that the session waits in a new run."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")


@pytest.fixture
async def sandbox(client: Client, store: Store) -> AsyncIterator[ScriptedSandbox]:
    script = commands_then_finish(*(f"make {number}" for number in range(COMMANDS)))
    async with working(client, store, script) as scripted:
        yield scripted


def names(count: int = COMMANDS) -> list[str]:
    return [f"s{step}-0" for step in range(1, count + 1)]


async def two_runs(gateway: Gateway, sandbox: ScriptedSandbox) -> str:
    """Make a session that has gone on in a second run and worked on a second prompt there."""
    for name in names():
        sandbox.say(name, frame(name.encode() * 100))
        sandbox.end(name)
    path = await gateway.create()
    await gateway.until(path, Phase.WAITING, turns=1)
    answer = await gateway.http.post(f"{path}/prompts", json=gateway.asked()["prompt"])
    assert answer.status_code == 202
    shown = await gateway.until(path, Phase.WAITING, turns=2)
    assert shown.view.run_index == 1
    return path


async def all_of(gateway: Gateway, path: str) -> Watcher:
    async with watching(gateway, path, Subscribe(follow=False)) as watcher:
        assert await watcher.drain() == 1000
    return watcher


async def page(gateway: Gateway, path: str, **query: str | int) -> EventPage:
    answer = await gateway.http.get(f"{path}/events", params=query)
    assert answer.status_code == 200, answer.text
    return EventPage.model_validate_json(answer.content)


async def test_events_read_the_same_in_every_way(
    gateway: Gateway, sandbox: ScriptedSandbox, client: Client
) -> None:
    """By socket, by pages in both directions, as a stream, and from another gateway."""
    path = await two_runs(gateway, sandbox)
    whole = await all_of(gateway, path)
    assert {event.cursor[:6] for event in whole.events} == {"000000", "000001"}
    assert [whole.output(name) for name in names()] == [each.encode() * 100 for each in names()]

    backwards: list[SessionEvent] = []
    found = await page(gateway, path, limit=7)
    assert not found.has_newer
    backwards[:0] = found.data
    while found.has_older:
        found = await page(gateway, path, limit=7, before=backwards[0].cursor)
        assert found.has_newer
        backwards[:0] = found.data
    assert backwards == whole.events

    first = await page(gateway, path, limit=1, after="000000.00000000.0")
    assert (first.has_older, first.has_newer) == (False, True)
    forwards = list(first.data)
    found = await page(gateway, path, limit=50, after=forwards[-1].cursor)
    forwards += found.data
    while found.has_newer:
        found = await page(gateway, path, limit=50, after=forwards[-1].cursor)
        forwards += found.data
    assert forwards == whole.events
    beyond = await page(gateway, path, after=whole.events[-1].cursor)
    assert (beyond.data, beyond.has_older, beyond.has_newer) == ((), True, False)

    async with serving(gateway.settings, client) as other:
        assert (await all_of(other, path)).events == whole.events
    middle = whole.events[len(whole.events) // 2].cursor
    last = whole.events[-1].cursor
    assert await streamed(gateway, path, middle, last) == [
        event for event in whole.events if event.cursor > middle
    ]


async def streamed(gateway: Gateway, path: str, after: str, last: str) -> list[SessionEvent]:
    """Read server-sent events up to one."""
    headers = {"accept": "text/event-stream", "last-event-id": after}
    found: list[SessionEvent] = []
    async with gateway.http.stream("GET", f"{path}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                found.append(SessionEvent.model_validate_json(line.removeprefix("data: ")))
                if found[-1].cursor == last:
                    break
    return found


async def test_a_client_cut_at_random_misses_nothing(
    gateway: Gateway, sandbox: ScriptedSandbox
) -> None:
    """Over two runs, it ends with the events and bytes of one that was never cut."""
    dice = random.Random(7)
    path = await gateway.create()
    events: list[SessionEvent] = []
    logs: dict[CommandId, bytes] = {}

    async def be_cut() -> None:
        while not any(event.event.kind == "pull_request.proposed" for event in events):
            at = {command: len(log) for command, log in logs.items()}
            after = events[-1].cursor if events else None
            wanted = Subscribe(after=after, output=OutputChoice(at=at))
            async with watching(gateway, path, wanted) as watcher:
                left = dice.randint(1, 8)
                while left and "pull_request.proposed" not in watcher.kinds:
                    await watcher.next()
                    left -= 1
                watcher.socket.transport.abort()
            events.extend(watcher.events)
            for command, log in watcher.logs.items():
                logs[command] = logs.get(command, b"") + log

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(be_cut())
        for name in names():
            for _ in range(dice.randint(0, 4)):
                sandbox.say(name, frame(dice.randbytes(dice.randint(1, 60_000))))
            sandbox.end(name)
    whole = await all_of(gateway, path)
    assert events == whole.events[: len(events)]
    assert logs == whole.logs


async def test_a_closed_session_needs_no_worker_and_no_temporal(
    gateway: Gateway, client: Client, store: Store
) -> None:
    """Its runs are read from the store when Temporal has forgotten it."""
    script = commands_then_finish("make")
    async with working(client, store, script) as sandbox:
        sandbox.say("s1-0", frame(b"kept"))
        sandbox.end("s1-0")
        path = await gateway.create()
        await gateway.until(path, Phase.WAITING, turns=1)
        await gateway.http.post(f"{path}/close", json={})
        await gateway.until(path, Phase.CLOSED)
    whole = await all_of(gateway, path)
    assert whole.kinds[-1] == "session.closed"
    # Another namespace stands for what Temporal no longer knows: deleting takes it half a minute.
    forgetful = await temporal_client(client.service_client.config.target_host)
    async with serving(gateway.settings, forgetful) as other:
        remembered = await all_of(other, path)
    assert remembered.output("s1-0") == b"kept"
    # What happened after the archive was written, the last moments of a session, is gone.
    assert remembered.events == whole.events[: len(remembered.events)]
    assert "sandbox.closed" in remembered.kinds
    assert remembered.hello is not None
    assert remembered.hello.session.view.phase is Phase.CLOSED


async def temporal_client(address: str) -> Client:
    return await Client.connect(
        address, namespace=EMPTY_NAMESPACE, data_converter=pydantic_data_converter
    )


async def test_a_reopened_session_goes_on(gateway: Gateway, client: Client, store: Store) -> None:
    """Its events follow those from before it was closed, all of them, before any worker came."""
    async with working(client, store, commands_then_finish()):
        path = await gateway.create()
        await gateway.until(path, Phase.WAITING, turns=1)
        await gateway.http.post(f"{path}/close", json={})
        async with watching(gateway, path) as closing:
            assert await closing.drain() == 1000
    again = {"prompt": gateway.asked("again")["prompt"]}
    answer = await gateway.http.post(f"{path}/reopen", json=again)
    assert answer.status_code == 202, answer.text
    async with watching(gateway, path) as watcher:
        await watcher.until_kind("session.reopened")
    assert watcher.events[: len(closing.events)] == closing.events
    assert watcher.kinds[len(closing.events)] == "session.reopened"


async def test_an_outage_of_temporal_is_told_and_over(
    gateway: Gateway, client: Client, store: Store
) -> None:
    """Clients stay, are told, and go on; also in a session where nothing happens any more."""
    async with working(client, store, commands_then_finish()):
        path = await gateway.create()
        await gateway.until(path, Phase.WAITING, turns=1)
    address = client.service_client.config.target_host
    with ChaosProxy(int(address.rpartition(":")[2])) as proxy:
        distant = await Client.connect(
            f"127.0.0.1:{proxy.port}", data_converter=pydantic_data_converter
        )
        async with serving(gateway.settings, distant) as other, watching(other, path) as watcher:
            await watcher.caught_up()
            proxy.refuse()
            proxy.reset()
            await watcher.until(lambda each: each.troubles[-1:] not in ([], [""]))
            proxy.accept()
            await watcher.until(lambda each: each.troubles[-1:] == [""])


async def test_a_stream_is_refused_like_anything_else(gateway: Gateway) -> None:
    """With Temporal out of reach it has a status, not a broken answer."""
    path = await gateway.create()
    async with serving(gateway.settings, None) as early:
        answer = await early.http.get(f"{path}/events", headers={"accept": "text/event-stream"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "temporal_unavailable"


async def test_a_stream_whose_client_left_is_let_go(gateway: Gateway) -> None:
    """Nothing is watched for it any more."""
    path = await gateway.create()
    shared = gateway.services.feed._shared
    headers = {"accept": "text/event-stream"}
    async with gateway.http.stream("GET", f"{path}/events", headers=headers) as answer:
        async for _ in answer.aiter_lines():
            break
        assert [each.users for each in shared.values()] == [1]
    while [each.users for each in shared.values()] != [0]:  # noqa: ASYNC110  # it sends no event
        await asyncio.sleep(0.01)


async def test_a_closed_session_has_no_more_for_a_stream(
    gateway: Gateway, client: Client, store: Store
) -> None:
    """A browser that comes back with the last event is told not to."""
    async with working(client, store, commands_then_finish()):
        path = await gateway.create()
        await gateway.until(path, Phase.WAITING, turns=1)
        await gateway.http.post(f"{path}/close", json={})
        await gateway.until(path, Phase.CLOSED)
    whole = await all_of(gateway, path)
    headers = {"accept": "text/event-stream"}
    answer = await gateway.http.get(f"{path}/events", headers=headers)
    assert answer.status_code == 200
    assert answer.text.count("data: ") == len(whole.events)
    last = {**headers, "last-event-id": whole.events[-1].cursor}
    assert (await gateway.http.get(f"{path}/events", headers=last)).status_code == 204


@pytest.mark.parametrize(
    "query",
    [
        {"before": "nonsense"},
        {"after": "000000.00000000.0", "before": "000000.00000001.0"},
        {"limit": "0"},
        {"limit": "1001"},
        {"after": "x" * 61},
    ],
)
async def test_a_wrong_page_is_refused(edge: Gateway, query: dict[str, str]) -> None:
    """With 422 and the field."""
    session = "/api/v1/sessions/s-" + "0" * 20
    answer = await edge.http.get(f"{session}/events", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_events_of_no_session_are_refused(edge: Gateway) -> None:
    """Also as a stream: the status says so."""
    session = "/api/v1/sessions/s-" + "0" * 20
    for accept in ("application/json", "text/event-stream"):
        answer: httpx2.Response = await edge.http.get(
            f"{session}/events", headers={"accept": accept}
        )
        assert answer.status_code == 404
        assert json.loads(answer.content)["code"] == "session_unknown"
