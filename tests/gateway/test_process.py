"""The gateway as a process of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.gateway.conftest import SESSIONS
from tests.gateway.test_outage import temporal
from tests.patience import PATIENCE_SECONDS


@asynccontextmanager
async def gateway_process(home: Path, port: int, temporal_port: int) -> AsyncIterator[Process]:
    environment = os.environ | {
        "OVERNIGHT_HOME": str(home),
        "OVERNIGHT_GATEWAY_PORT": str(port),
        "OVERNIGHT_TEMPORAL_ADDRESS": f"127.0.0.1:{temporal_port}",
    }
    argv = (sys.executable, "-m", "gateway")
    process = await create_subprocess_exec(*argv, env=environment, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(
    http: httpx2.AsyncClient, path: str, status: int, headers: Mapping[str, str] | None = None
) -> None:
    while True:
        try:
            if (await http.get(path, headers=headers)).status_code == status:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.02)  # the answer is what is waited for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_waits_for_temporal_and_stops_when_told(
    tmp_path: Path, take_port: Callable[[], int], number: signal.Signals
):
    """Alive at once, ready when Temporal is, gone within 10 s of a signal.

    Its log holds neither a traceback nor a request's query or token.
    """
    port, temporal_port = take_port(), take_port()
    async with (
        gateway_process(tmp_path, port, temporal_port) as process,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as http,
    ):
        await until(http, "/healthz", 200)
        await until(http, "/readyz", 503)
        async with temporal(tmp_path, temporal_port):
            await until(http, "/readyz", 200)
            assert "session_workers" in (await http.get("/readyz")).json()
            token = (tmp_path / "token").read_text()
            bearer = {"authorization": f"Bearer {token}"}
            await until(http, f"{SESSIONS}?limit=3&q=secret", 200, bearer)
        process.send_signal(number)
        _, log = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0
    assert b"gateway.stopped" in log
    assert b"Traceback" not in log
    assert b'"route": "/api/v1/sessions", "status": 200' in log
    assert b"secret" not in log
    assert token.encode() not in log


@pytest.mark.parametrize("token", ["", "\n", "short", "two words that are long enough"])
async def test_a_token_that_is_none_lets_nobody_in(
    tmp_path: Path, take_port: Callable[[], int], token: str
):
    """With an empty token whoever sends none would be let in: the process refuses to start."""
    (tmp_path / "token").write_text(token)
    async with gateway_process(tmp_path, take_port(), 1) as process:
        _, log = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    assert b"holds no token; remove it" in log
    assert b"Traceback" not in log


async def test_a_taken_port_is_named(tmp_path: Path, take_port: Callable[[], int]):
    """When its port is taken the process says so in one line and fails."""
    port = take_port()
    async with (
        gateway_process(tmp_path, port, 1) as first,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as http,
    ):
        await until(http, "/healthz", 200)
        async with gateway_process(tmp_path, port, 1) as second:
            _, log = await second.communicate()
        assert second.returncode == 1
        assert str(port).encode() in log
        assert b"Traceback" not in log
        first.send_signal(signal.SIGTERM)
        await first.communicate()
