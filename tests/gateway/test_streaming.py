"""Output and events over HTTP."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from temporalio.client import Client

from gateway.streaming import event_stream
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from tests.gateway.conftest import Gateway
from tests.gateway.streaming import (
    ScriptedSandbox,
    commands_then_finish,
    frame,
    watching,
    working,
)
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import Channel, stream_key


@pytest.fixture
async def output(gateway: Gateway, tmp_path: Path) -> str:
    """Where the output of a session's command is found."""
    path = await gateway.create()
    session = SessionId(path.rpartition("/")[2])
    log = frame(b"one\n") + frame(b"\xff\x00", Channel.STDERR) + frame(b"two\n")
    FolderStore(tmp_path / "store").append(stream_key(session, CommandId("s1-0")), 0, log)
    return f"{path}/commands/s1-0/output"


async def test_each_channel_is_read_exactly(gateway: Gateway, output: str) -> None:
    """Stdout when nothing is said, stderr, or the log of both."""
    assert (await gateway.http.get(output)).content == b"one\ntwo\n"
    answer = await gateway.http.get(output, params={"stream": "stderr"})
    assert answer.content == b"\xff\x00"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["accept-ranges"] == "bytes"
    log = await gateway.http.get(output, params={"stream": "log"})
    assert len(log.content) == 3 * 13 + 10


async def test_a_range_is_partial(gateway: Gateway, output: str) -> None:
    """With its place and the present size."""
    answer = await gateway.http.get(output, headers={"range": "bytes=2-4"})
    assert answer.status_code == 206
    assert answer.content == b"e\nt"
    assert answer.headers["content-range"] == "bytes 2-4/8"


async def test_a_range_behind_the_end_is_refused(gateway: Gateway, output: str) -> None:
    """With 416 and the size."""
    answer = await gateway.http.get(output, headers={"range": "bytes=8-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */8"
    assert answer.json()["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    ("command", "status"), [("s9-9", 404), ("%2e%2e", 422), ("..%2f..%2ftoken", 404), ("a%00", 422)]
)
async def test_no_other_file_is_read(
    gateway: Gateway, output: str, command: str, status: int
) -> None:
    """Whatever stands in the place of the command."""
    answer = await gateway.http.get(output.replace("s1-0", command))
    assert answer.status_code == status


async def test_a_stream_says_that_it_lives_while_a_command_prints(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """What a command prints is no event, so nothing else is sent meanwhile."""
    async with working(client, store, commands_then_finish("tick")) as sandbox:
        path = await gateway.create()
        async with watching(gateway, path) as live:
            await live.until_kind("command.started")
        session = SessionId(path.rpartition("/")[2])
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(tick(sandbox))
            stream = event_stream(gateway.services, session, None, keepalive_seconds=0.5)
            async with aclosing(stream), asyncio.timeout(PATIENCE_SECONDS):
                async for chunk in stream:
                    if chunk == b": still here\n\n":
                        break
            ticking.cancel()
        sandbox.end("s1-0")


async def tick(sandbox: ScriptedSandbox) -> None:
    while True:
        sandbox.say("s1-0", frame(b"tick\n"))
        await asyncio.sleep(0.05)  # a command that prints
