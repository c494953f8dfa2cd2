"""What the gateway answers while Temporal is down, and after it came back."""

import asyncio
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gateway.sessions.connection import TEMPORAL_SECONDS
from runtime.temporal import connect_patiently, prepare_namespace
from tests.conftest import temporal_binary
from tests.gateway.conftest import (
    SESSIONS,
    Gateway,
    prompt,
    serving,
    settings_at,
    waiting_for_temporal,
    workers,
)
from workflows.contract.session import Phase

SOON_SECONDS = 60.0
"""The gateway's own limit is 3 s, which a slow machine may notice late."""


@asynccontextmanager
async def temporal(folder: Path, port: int) -> AsyncIterator[Process]:
    """A Temporal server that keeps its database; killed hard at the end."""
    database = str(folder / "temporal.db")
    argv = ("server", "start-dev", "--headless", "--port", str(port), "--db-filename", database)
    process = await create_subprocess_exec(
        temporal_binary(), *argv, "--log-level", "never", stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_requests_survive_an_outage(tmp_path: Path, take_port: Callable[[], int]):
    """While the server is down each request fails in 3 s; repeated afterwards, each counts once."""
    port = take_port()
    settings = settings_at(tmp_path).model_copy(update={"temporal_address": f"127.0.0.1:{port}"})
    async with AsyncExitStack() as stack:
        async with temporal(tmp_path, port):
            client = await connect_patiently(settings)
            await prepare_namespace(client)
            gateway = await stack.enter_async_context(serving(settings, client))
            path = await gateway.create()
        started, follow_up = gateway.asked("during the outage"), prompt("also then")
        with waiting_for_temporal(TEMPORAL_SECONDS):
            await asyncio.gather(
                refused(gateway, "POST", SESSIONS, "outcome_unknown", started),
                refused(gateway, "POST", f"{path}/prompts", "temporal_unavailable", follow_up),
                refused(gateway, "GET", path, "temporal_unavailable"),
                refused(gateway, "GET", f"{SESSIONS}?limit=7", "temporal_unavailable"),
            )
        async with temporal(tmp_path, port), workers(client):
            await ready(gateway)
            for target, body in ((SESSIONS, started), (f"{path}/prompts", follow_up)):
                answer = await gateway.http.post(target, json=body)
                assert answer.status_code in (200, 202), answer.text
                again = await gateway.http.post(target, json=body)
                assert again.status_code == 200
            shown = await gateway.until(path, Phase.WAITING, turns=2)
            assert shown.view.turn == 2


async def refused(gateway: Gateway, method: str, path: str, code: str, body: object = None) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await gateway.http.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, code), answer.text
    # By the gateway's own patience, not by that of Temporal's client, which tries for longer.
    assert answer.json()["detail"] == "Temporal did not answer within 3 s"
    assert answer.headers["retry-after"] == "1"
    assert loop.time() - began < SOON_SECONDS


async def ready(gateway: Gateway) -> None:
    while (await gateway.http.get("/readyz")).status_code != 200:
        pass
