"""Clients that do not read, and what they cost."""

import asyncio
import socket
from pathlib import Path

import pytest
from temporalio.client import Client

from runtime.settings import gateway_token
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from tests.gateway.conftest import Gateway, serving, settings_at, terminate
from tests.gateway.streaming import commands_then_finish, frame, watching, working
from workflows.contract.socket import PROTOCOL, Subscribe


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")


async def test_a_client_that_does_not_read_is_hung_up(
    client: Client, tmp_path: Path, store: Store
) -> None:
    """And holds nothing: neither its connection, nor the command, nor the others."""
    settings = settings_at(tmp_path).model_copy(update={"socket_stall_seconds": 0.5})
    async with (
        serving(settings, client) as gateway,
        working(client, store, commands_then_finish("flood")) as sandbox,
    ):
        path = await gateway.create()
        async with watching(gateway, path) as live:
            await live.until_kind("command.started")
            stalled = await stall(gateway, path)
            for _ in range(30):
                sandbox.say("s1-0", frame(b"f" * 60_000) * 16)
            sandbox.end("s1-0")
            await live.until_kind("command.finished")
            assert live.output("s1-0") == b"f" * 60_000 * 16 * 30
            while gateway.services.sockets > 1:  # noqa: ASYNC110  # the gateway sends no event
                await asyncio.sleep(0.01)
            stalled.close()
        await terminate(client, path.rpartition("/")[2])


async def test_a_client_that_answers_no_ping_is_hung_up(
    client: Client, tmp_path: Path, store: Store
) -> None:
    """One that neither reads nor answers holds nothing, long before the limit for stalling."""
    settings = settings_at(tmp_path)
    async with (
        serving(settings, client, ping_seconds=0.1) as gateway,
        working(client, store, commands_then_finish("flood")) as sandbox,
    ):
        path = await gateway.create()
        async with watching(gateway, path) as live:
            await live.until_kind("command.started")
            stalled = await stall(gateway, path)
            sandbox.say("s1-0", frame(b"f" * 60_000) * 100)
            sandbox.end("s1-0")
            await live.until_kind("command.finished")
            while gateway.services.sockets > 1:  # noqa: ASYNC110  # the gateway sends no event
                await asyncio.sleep(0.01)
            stalled.close()
        await terminate(client, path.rpartition("/")[2])


async def stall(gateway: Gateway, path: str) -> socket.socket:
    """Subscribe on a plain connection that nobody reads from."""
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
    while gateway.services.sockets < 2:  # noqa: ASYNC110  # likewise
        await asyncio.sleep(0.01)
    return connection
