"""What the gateway tells people about Temporal, the workers and the store."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client

from gateway.sessions import health as looking
from runtime.settings import host_id
from runtime.temporal import connect_patiently, prepare_namespace
from tests import bucket
from tests.conftest import EMPTY_NAMESPACE
from tests.gateway.conftest import Gateway, serving, settings_at, workers
from tests.gateway.test_outage import temporal
from tests.patience import PATIENCE_SECONDS
from workflows.contract.health import GatewayHealth, QueueHealth

HEALTH = "/api/v1/health"
SHARED = {"sessions", "models", "hosts"}
"""Queues that the workers of any host take from."""

LOOK_SECONDS = looking.LOOK_SECONDS


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Let a look wait so long for Temporal and for the store."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(looking, "LOOK_SECONDS", seconds)
        yield


@pytest.fixture(autouse=True)
def patient_looks() -> Iterator[None]:
    """What is slow on a slow machine does not hang."""
    with waiting(PATIENCE_SECONDS):
        yield


async def health(gateway: Gateway) -> GatewayHealth:
    """Ask once; whatever is wrong, the answer is 200 and soon there."""
    answer = await asyncio.wait_for(gateway.http.get(HEALTH), PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    return GatewayHealth.model_validate_json(answer.content)


def queues(found: GatewayHealth) -> dict[str, QueueHealth]:
    return {queue.queue: queue for queue in found.temporal.queues}


async def test_it_needs_the_token(edge: Gateway):
    """Without the token nothing is told, as of sessions."""
    address = f"http://127.0.0.1:{edge.port}"
    async with httpx2.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as http:
        answer = await http.get(HEALTH)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_all_is_well(gateway: Gateway):
    """Versions, clock, models, a prepared namespace, and a byte that went through the store."""
    before = datetime.now(UTC)
    found = await health(gateway)
    after = datetime.now(UTC)
    assert found.version == metadata.version("overnight")
    assert before <= found.time <= after
    assert (found.model, found.sandbox) == ("openai/scripted", "bubblewrap")
    assert found.temporal.trouble == ""
    assert found.temporal.version.count(".") == 2
    assert found.temporal.namespace == "default"
    assert found.temporal.retention_days == 30
    assert found.temporal.is_prepared is True
    assert (found.store.place, found.store.trouble) == ("folder", "")


async def test_every_look_adds_one_byte_to_the_store(gateway: Gateway):
    """Two looks at once write the same bytes, and what is kept stays small."""
    await asyncio.gather(*(health(gateway) for _ in range(2)))
    await health(gateway)
    kept = (gateway.settings.store_path / "streams" / "health" / "probe").read_bytes()
    assert kept in (b"..", b"...")


async def test_workers_are_counted_on_each_queue(gateway: Gateway, client: Client):
    """A worker that polls is one, and asked a moment ago; this host's own queue has none."""
    mine = f"host-{host_id(gateway.settings)}"
    async with workers(client):
        seen: dict[str, QueueHealth] = {}
        while {name for name, queue in seen.items() if queue.workers} != SHARED:
            seen = queues(await health(gateway))
    assert set(seen) == {*SHARED, mine}
    ago = seen["sessions"].asked_seconds_ago
    assert ago is not None
    assert 0 <= ago < 75
    assert seen[mine] == QueueHealth(queue=mine, workers=0)


async def test_a_namespace_that_nobody_prepared_is_told(client: Client, tmp_path: Path):
    """Our search attribute is looked for in the gateway's own namespace."""
    config = client.config()
    config["namespace"] = EMPTY_NAMESPACE
    async with serving(settings_at(tmp_path), Client(**config)) as gateway:
        found = await health(gateway)
    assert found.temporal.namespace == EMPTY_NAMESPACE
    assert found.temporal.is_prepared is False


async def test_temporal_that_was_never_reached_is_trouble(tmp_path: Path):
    """The rest is told all the same."""
    async with serving(settings_at(tmp_path), None) as gateway:
        found = await health(gateway)
    assert "has not reached it" in found.temporal.trouble
    assert found.temporal.queues == ()
    assert found.store.trouble == ""


async def test_temporal_that_hangs_is_given_up(tmp_path: Path, take_port: Callable[[], int]):
    """A server stopped in its tracks is said not to answer; the store is told all the same."""
    port = take_port()
    settings = settings_at(tmp_path).model_copy(update={"temporal_address": f"127.0.0.1:{port}"})
    async with temporal(tmp_path, port) as server:
        client = await connect_patiently(settings)
        await prepare_namespace(client)
        async with serving(settings, client) as gateway:
            server.send_signal(signal.SIGSTOP)
            with waiting(LOOK_SECONDS):
                found = await health(gateway)
                assert found.temporal.trouble == "Temporal did not answer within 2 s"
                # A slow machine's store may need more than one look.
                while found.store.trouble:
                    found = await health(gateway)
    assert found.temporal.trouble == "Temporal did not answer within 2 s"


async def test_a_store_that_takes_nothing_is_trouble(client: Client, tmp_path: Path):
    """A file where the store's folder should be cannot be written into; Temporal is well."""
    settings = settings_at(tmp_path)
    settings.store_path.write_text("in the way")
    async with serving(settings, client) as gateway:
        found = await health(gateway)
    assert "Not a directory" in found.store.trouble
    assert found.temporal.trouble == ""


async def test_a_bucket_is_tried_as_a_folder_is(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A byte goes through the bucket; one that is not there is trouble, and no key is told."""
    with bucket.serving() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = {}
        for url in (f"{bucket.URL}/prefix", "s3://elsewhere"):
            settings = settings_at(tmp_path).model_copy(update={"store": url})
            async with serving(settings, client) as gateway:
                found[url] = await health(gateway)
    good, bad = (each.store for each in found.values())
    assert (good.place, good.trouble) == ("bucket", "")
    assert bad.trouble.startswith("the store s3://elsewhere cannot be used: ")
    assert variables["AWS_SECRET_ACCESS_KEY"] not in bad.trouble
