"""A real gateway on a free port of this machine, and session workers with scripted ports."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.worker import WORKFLOW_RUNNER, activities_of
from cli.stack import ports
from gateway.app import create_app
from gateway.server import CONNECTIONS_LIMIT, PING_SECONDS, create_server, listen
from gateway.services import Services
from gateway.sessions import connection
from gateway.sessions.connection import Connection
from runtime.settings import Settings, gateway_token
from runtime.store.opening import open_store
from tests.fake_checks import FakeChecks
from tests.fakes import FINISH, FakeArchive, FakeModel, FakePullRequests, FakeSandbox
from tests.patience import PATIENCE_SECONDS
from workflows.contract import names
from workflows.contract.api import SessionResource
from workflows.contract.session import Phase
from workflows.ports import Archive, Checks, Model, PullRequests, Sandbox
from workflows.session import AgentSession

SESSIONS = "/api/v1/sessions"

STALL_SECONDS = 60.0
"""Temporal may take so long on a slow machine before a request is refused."""


def prompt(text: str = "make it green", id: str | None = None) -> dict[str, str]:
    return {"id": id or str(uuid.uuid4()), "text": text}


@dataclass
class Gateway:
    """A served gateway and a client that it trusts."""

    http: httpx2.AsyncClient
    settings: Settings
    connection: Connection
    services: Services
    port: int

    def asked(self, text: str = "make it green", id: str | None = None) -> dict[str, object]:
        repository = {"url": str(self.settings.home), "base": "main"}
        return {"prompt": prompt(text, id), "repository": repository}

    async def create(self, body: dict[str, object] | None = None) -> str:
        """Start a session and return its path."""
        answer = await self.http.post(SESSIONS, json=body or self.asked())
        assert answer.status_code == 202, answer.text
        return str(answer.json()["url"])

    async def get(self, path: str) -> SessionResource:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return SessionResource.model_validate_json(answer.content)

    async def until(self, path: str, phase: Phase, turns: int = 0) -> SessionResource:
        """Ask until the session is in a phase, after so many turns."""
        while True:
            shown = await self.get(path)
            if shown.view.phase is phase and shown.view.turn >= turns:
                return shown
            await asyncio.sleep(0.05)  # the phase is what is waited for


def settings_at(home: Path) -> Settings:
    return Settings(home=home, model="openai/scripted", local_roots=(home,))


@asynccontextmanager
async def serving(
    settings: Settings,
    client: Client | None,
    ping_seconds: float = PING_SECONDS,
    connections_limit: int = CONNECTIONS_LIMIT,
) -> AsyncIterator[Gateway]:
    """Serve a gateway inside this task."""
    temporal = Connection()
    if client is not None:
        temporal.attach(client)
    services = Services(settings, temporal, open_store(settings))
    app = create_app(services)
    server = create_server(
        app, services.close, ping_seconds=ping_seconds, connections_limit=connections_limit
    )
    with listen("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listener]))
            try:
                async with httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    headers={"authorization": f"Bearer {gateway_token(settings)}"},
                    timeout=PATIENCE_SECONDS,
                ) as http:
                    yield Gateway(http, settings, temporal, services, port)
            finally:
                server.should_exit = True


@contextmanager
def waiting_for_temporal(seconds: float) -> Iterator[None]:
    """Let each request to a gateway of this process wait so long for Temporal."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connection, "TEMPORAL_SECONDS", seconds)
        yield


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    """A slow machine is no outage: a test of one waits shorter by itself."""
    with waiting_for_temporal(STALL_SECONDS):
        yield


@pytest.fixture
def take_port() -> Iterator[Callable[[], int]]:
    """Gives ports at which nobody listens, and which no other test is given until this one ends."""
    with ExitStack() as marks:

        def take() -> int:
            port, mark = ports.mark_any("127.0.0.1")
            marks.enter_context(mark)
            return port

        yield take


@pytest.fixture
async def gateway(client: Client, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway whose sessions are gone after the test, so that no later worker finds them."""
    async with serving(settings_at(tmp_path), client) as served:
        yield served
    for key in (tmp_path / "store" / "sessions").glob("*"):
        await terminate(client, key.name)


@pytest.fixture(scope="session")
async def edge(
    temporal_server: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    """One gateway for all tests of what is refused before a session is touched."""
    settings = settings_at(tmp_path_factory.mktemp("edge"))
    async with serving(settings, temporal_server.client) as served:
        yield served


async def terminate(client: Client, session: str) -> None:
    handle = client.get_workflow_handle(session)
    description = await handle.describe()
    if description.close_time is None:
        await handle.terminate()


@asynccontextmanager
async def workers(client: Client) -> AsyncIterator[None]:
    """Work on every session with a model that finishes at once."""
    sandbox = FakeSandbox(queue=names.HOSTS_QUEUE)
    activities = [
        *activities_of(Sandbox, sandbox),
        *activities_of(Checks, FakeChecks(sandbox)),
        *activities_of(PullRequests, FakePullRequests()),
        *activities_of(Archive, FakeArchive()),
        *activities_of(Model, FakeModel(lambda _: FINISH)),
    ]
    async with AsyncExitStack() as stack:
        for queue in (names.SESSIONS_QUEUE, names.MODELS_QUEUE, names.HOSTS_QUEUE):
            worker = Worker(
                client,
                task_queue=queue,
                workflows=[AgentSession] if queue == names.SESSIONS_QUEUE else [],
                activities=activities,
                workflow_runner=WORKFLOW_RUNNER,
            )
            await stack.enter_async_context(worker)
        yield
