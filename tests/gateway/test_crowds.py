"""Clients that do not read, and many at once."""

import asyncio
import random
import socket
from pathlib import Path

import pytest
from temporalio.client import Client

from runtime.settings import gateway_token
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from tests.gateway.conftest import Gateway, serving, settings_at, terminate
from tests.gateway.streaming import (
    ScriptedSandbox,
    commands_then_finish,
    frame,
    watching,
    working,
)
from workflows.contract.base import CommandId
from workflows.contract.output import FrameDecoder
from workflows.contract.socket import PROTOCOL, OutputChoice, Subscribe

COMMAND = CommandId("s1-0")
FLOOD = b"f" * 60_000 * 16 * 30


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")


async def test_a_client_that_does_not_read_is_hung_up(
    client: Client, tmp_path: Path, store: Store
) -> None:
    """And holds nothing: neither its connection nor the command."""
    hasty = settings_at(tmp_path).model_copy(update={"socket_stall_seconds": 0.5})
    async with (
        serving(hasty, client) as gateway,
        # Who reads on a slow machine may be as slow as one that stalls.
        serving(settings_at(tmp_path), client) as other,
        working(client, store, commands_then_finish("flood")) as sandbox,
    ):
        path = await gateway.create()
        async with watching(other, path) as live:
            await live.until_kind("command.started")
            stalled = await stall(gateway, path)
            flood(sandbox)
            await live.until_kind("command.finished")
            while gateway.services.sockets:  # noqa: ASYNC110  # the gateway sends no event
                await asyncio.sleep(0.01)
            stalled.close()
        await terminate(client, path.rpartition("/")[2])


async def test_a_client_that_does_not_read_holds_no_other(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """Who reads beside it gets all there is, though it is let stall for a minute."""
    async with working(client, store, commands_then_finish("flood")) as sandbox:
        path = await gateway.create()
        async with watching(gateway, path) as live:
            await live.until_kind("command.started")
            with await stall(gateway, path):
                flood(sandbox)
                await live.until_kind("command.finished")
        assert live.output("s1-0") == FLOOD


async def test_a_client_that_answers_no_ping_is_hung_up(
    client: Client, tmp_path: Path, store: Store
) -> None:
    """One that neither reads nor answers holds nothing, long before the limit for stalling."""
    settings = settings_at(tmp_path)
    async with (
        serving(settings, client, ping_seconds=0.1) as gateway,
        serving(settings, client) as other,
        working(client, store, commands_then_finish("flood")) as sandbox,
    ):
        path = await gateway.create()
        async with watching(other, path) as live:
            await live.until_kind("command.started")
            stalled = await stall(gateway, path)
            sandbox.say("s1-0", frame(b"f" * 60_000) * 100)
            sandbox.end("s1-0")
            await live.until_kind("command.finished")
            while gateway.services.sockets:  # noqa: ASYNC110  # the gateway sends no event
                await asyncio.sleep(0.01)
            stalled.close()
        await terminate(client, path.rpartition("/")[2])


def flood(sandbox: ScriptedSandbox) -> None:
    """Print more than the buffers of a connection hold, and end."""
    for start in range(0, len(FLOOD), 60_000 * 16):
        sandbox.say("s1-0", frame(FLOOD[start : start + 60_000]) * 16)
    sandbox.end("s1-0")


async def stall(gateway: Gateway, path: str) -> socket.socket:
    """Subscribe on a plain connection that nobody reads from."""
    before = gateway.services.sockets
    lines = [
        f"GET {path}/ws HTTP/1.1",
        f"Host: 127.0.0.1:{gateway.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
        f"Authorization: Bearer {gateway_token(gateway.settings)}",
        "",
        "",
    ]
    connection = socket.create_connection(("127.0.0.1", gateway.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    body = Subscribe().model_dump_json().encode()
    assert len(body) > 125
    header = b"\x81\xfe" + len(body).to_bytes(2, "big") + b"\0\0\0\0"
    await asyncio.to_thread(connection.sendall, "\r\n".join(lines).encode() + header + body)
    while gateway.services.sockets <= before:  # noqa: ASYNC110  # likewise
        await asyncio.sleep(0.01)
    return connection


async def follow(gateway: Gateway, path: str, *, is_cut: bool = False) -> bytes:
    """Return the command's log; a client that is cut in the middle comes back."""
    if not is_cut:
        async with watching(gateway, path) as whole:
            await whole.until_kind("command.finished")
        return whole.logs[COMMAND]
    async with watching(gateway, path) as cut:
        await cut.until(lambda each: len(each.logs.get(COMMAND, b"")) > 500_000)
        cut.socket.transport.abort()
    begun = cut.logs[COMMAND]
    wanted = Subscribe(after=cut.events[-1].cursor, output=OutputChoice(at={COMMAND: len(begun)}))
    async with watching(gateway, path, wanted) as rest:
        await rest.until_kind("command.finished")
    return begun + rest.logs[COMMAND]


async def test_a_crowd_gets_the_same_bytes(client: Client, tmp_path: Path, store: Store) -> None:
    """Sixty clients, a third of whom come late and a third of whom are cut and come back."""
    pieces = [random.Random(number).randbytes(50_000) for number in range(40)]
    async with (
        serving(settings_at(tmp_path), client) as gateway,
        working(client, store, commands_then_finish("flood")) as sandbox,
        asyncio.TaskGroup() as tasks,
    ):
        path = await gateway.create()
        followers = [tasks.create_task(follow(gateway, path)) for _ in range(20)]
        followers += [tasks.create_task(follow(gateway, path, is_cut=True)) for _ in range(20)]
        for piece in pieces[:20]:
            sandbox.say("s1-0", frame(piece))
        async with watching(gateway, path) as first:
            await first.until(lambda each: len(each.output("s1-0")) == 20 * 50_000)
        followers += [tasks.create_task(follow(gateway, path)) for _ in range(20)]
        for piece in pieces[20:]:
            sandbox.say("s1-0", frame(piece))
        sandbox.end("s1-0")
        (log,) = set(await asyncio.gather(*followers))
        await terminate(client, path.rpartition("/")[2])
    assert [each.data for each in FrameDecoder().feed(log)] == pieces
