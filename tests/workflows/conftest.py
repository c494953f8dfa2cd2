"""A session workflow on the real server whose ports are scripted by the test."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.worker import HEARTBEAT_INTERVAL, WORKFLOW_RUNNER, activities_of
from tests.fake_checks import FakeChecks
from tests.fakes import FINISH, FakeArchive, FakeModel, FakePullRequests, FakeSandbox, Reply
from workflows.contract import names
from workflows.contract.asking import Asked, AskedKind, DecideSignal
from workflows.contract.base import PromptId, SessionId, Sha256
from workflows.contract.model import ModelCall
from workflows.contract.sandbox import Repository
from workflows.contract.session import (
    Approvals,
    Budget,
    Phase,
    PromptMode,
    PromptSignal,
    SessionEnd,
    SessionInput,
    SessionOptions,
    SessionView,
)
from workflows.ports import Archive, Checks, Model, PullRequests, Sandbox
from workflows.session import AgentSession


def prompt(text: str, mode: PromptMode = PromptMode.QUEUE, id: str | None = None) -> PromptSignal:
    return PromptSignal(
        id=PromptId(id or str(uuid.uuid4())),
        mode=mode,
        sha256=Sha256(hashlib.sha256(text.encode()).hexdigest()),
        size=len(text),
        excerpt=text,
    )


def decision(asked: Asked, *, approved: bool, text: str = "") -> DecideSignal:
    return DecideSignal(question=asked.id, approved=approved, text=text)


@dataclass
class Rig:
    """One session with its scripted surroundings."""

    client: Client
    queue: str
    session: SessionId
    sandbox: FakeSandbox
    model: FakeModel = field(default_factory=lambda: FakeModel(lambda _: FINISH))
    pull_requests: FakePullRequests = field(default_factory=FakePullRequests)
    archive: FakeArchive = field(default_factory=FakeArchive)
    checks: FakeChecks = field(init=False)
    budget: Budget = field(default_factory=Budget)
    approvals: Approvals = field(default_factory=Approvals)
    fallbacks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.checks = FakeChecks(self.sandbox)

    def script(self, reply: Callable[[ModelCall], Reply | Awaitable[Reply]]) -> None:
        self.model = FakeModel(reply)

    @property
    def input(self) -> SessionInput:
        return SessionInput(
            session=self.session,
            options=SessionOptions(
                repository=Repository(url="/repository", base="main"),
                model="openai/scripted",
                budget=self.budget,
                approvals=self.approvals,
                fallbacks=self.fallbacks,
                branch=f"overnight/{self.session}",
                title="a task",
            ),
        )

    async def start(self, first: PromptSignal) -> WorkflowHandle[AgentSession, SessionEnd]:
        return await self.client.start_workflow(
            AgentSession.run,
            self.input,
            id=self.session,
            task_queue=self.queue,
            start_signal=names.PROMPT_SIGNAL,
            start_signal_args=[first],
        )

    @asynccontextmanager
    async def workers(self, *, cached_workflows: int = 100) -> AsyncIterator[None]:
        activities = [
            *activities_of(Sandbox, self.sandbox),
            *activities_of(Checks, self.checks),
            *activities_of(PullRequests, self.pull_requests),
            *activities_of(Archive, self.archive),
            *activities_of(Model, self.model),
        ]
        async with AsyncExitStack() as stack:
            for queue in {self.queue, names.MODELS_QUEUE, names.HOSTS_QUEUE}:
                worker = Worker(
                    self.client,
                    task_queue=queue,
                    workflows=[AgentSession] if queue == self.queue else [],
                    activities=activities,
                    workflow_runner=WORKFLOW_RUNNER,
                    max_cached_workflows=cached_workflows,
                    max_heartbeat_throttle_interval=HEARTBEAT_INTERVAL,
                )
                await stack.enter_async_context(worker)
            yield

    async def end(self) -> None:
        """End the session, if it was started and goes on."""
        try:
            await self.client.get_workflow_handle(self.session).terminate()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def view(self) -> SessionView:
        handle = self.client.get_workflow_handle(self.session)
        description = await handle.describe()
        return SessionView.model_validate(await description.memo_value(names.VIEW_MEMO))

    async def until(self, condition: Callable[[SessionView], bool]) -> SessionView:
        """Follow the history until the view fulfils a condition."""
        while True:
            handle = self.client.get_workflow_handle(self.session)
            async for event in handle.fetch_history_events(wait_new_event=True):
                if event.HasField("workflow_properties_modified_event_attributes"):
                    view = await self.view()
                    if condition(view):
                        return view

    async def until_waiting(self, turns: int) -> SessionView:
        return await self.until(
            lambda view: (
                view.phase is Phase.WAITING and view.last is not None and view.last.turn == turns
            )
        )

    async def until_asked(self, kind: AskedKind) -> Asked:
        view = await self.until(lambda view: view.asked is not None and view.asked.kind is kind)
        assert view.asked is not None
        return view.asked


@pytest.fixture
async def rig(client: Client, unique: str) -> AsyncIterator[Rig]:
    """A session that is gone after the test, so that no task of it comes to a later one's fakes."""
    queue = f"q-{unique}"
    rig = Rig(client, queue, SessionId(f"s-{unique}"), FakeSandbox(queue=queue))
    yield rig
    await rig.end()
