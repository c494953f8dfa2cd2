"""Sessions whose commands print what a test says, and clients of their sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from activities.archive import StoreArchive
from activities.worker import HEARTBEAT_INTERVAL, WORKFLOW_RUNNER, activities_of
from runtime.settings import gateway_token
from runtime.store.base import Store
from tests.fake_checks import FakeChecks
from tests.fakes import (
    FINISH,
    FakeModel,
    FakePullRequests,
    FakeSandbox,
    Reply,
    calls,
    command_result,
)
from tests.gateway.conftest import Gateway
from tests.patience import PATIENCE_SECONDS
from workflows.contract import names
from workflows.contract.base import CommandId
from workflows.contract.events import SessionEvent
from workflows.contract.model import ModelCall
from workflows.contract.output import (
    FRAME_HEADER,
    WINDOW_LIMIT_BYTES,
    Channel,
    FrameDecoder,
    LiveOutput,
    stream_key,
)
from workflows.contract.sandbox import CommandOutcome, CommandResult, RunCommand, StopCommand
from workflows.contract.socket import (
    PROTOCOL,
    SERVER_MESSAGE,
    CaughtUp,
    Events,
    Hello,
    OutputEnded,
    OutputMessage,
    OutputSkipped,
    ServerMessage,
    Subscribe,
    Text,
    Trouble,
)
from workflows.contract.transcript import ToolName
from workflows.ports import Archive, Checks, Model, PullRequests, Sandbox
from workflows.session import AgentSession

"""A task that a worker of the test before was given while it stopped comes back after 10 s."""


def frame(data: bytes, channel: Channel = Channel.STDOUT) -> bytes:
    return FRAME_HEADER.pack(channel, time.time_ns(), len(data)) + data


Awaited = Callable[[ModelCall], Awaitable[Reply]]


class ScriptedSandbox(FakeSandbox):
    """Commands print what `say` gives them and end when `end` says so."""

    def __init__(self, store: Store) -> None:
        super().__init__(queue=names.HOSTS_QUEUE)
        self._store = store
        self._said: dict[str, asyncio.Queue[bytes | CommandOutcome]] = {}
        self._missing: dict[str, int] = {}
        self.started = asyncio.Condition()

    def _queue(self, command: str) -> "asyncio.Queue[bytes | CommandOutcome]":
        return self._said.setdefault(command, asyncio.Queue())

    def say(self, command: str, data: bytes) -> None:
        self._queue(command).put_nowait(data)

    def end(
        self, command: str, outcome: CommandOutcome = CommandOutcome.EXITED, missing: int = 0
    ) -> None:
        """Let a command end; the store lacks so many bytes of what it is said to have."""
        self._missing[command] = missing
        self._queue(command).put_nowait(outcome)

    @activity.defn(name="sandbox.run_command")
    async def run_command(self, request: RunCommand) -> CommandResult:
        if not self._store.exists(f"sessions/{request.session}"):
            # Left by another test: it must not take what this one says.
            return command_result(request, CommandOutcome.EXITED)
        stream = stream_key(request.session, request.command_id)
        queue = self._queue(request.command_id)
        end = await self._store.stream_end_async(stream)
        beaten = (LiveOutput(command_id=request.command_id, start=end, end=end), b"")
        while True:
            try:
                async with asyncio.timeout(2):
                    said = await queue.get()
            except TimeoutError:
                activity.heartbeat(*beaten)
                continue
            if isinstance(said, CommandOutcome):
                end += self._missing[request.command_id]
                return command_result(request, said).model_copy(update={"output_end": end})
            end = await self._store.append_async(stream, end, said)
            window = said[-WINDOW_LIMIT_BYTES:] if len(said) <= WINDOW_LIMIT_BYTES else b""
            start = end - len(window)
            beaten = (LiveOutput(command_id=request.command_id, start=start, end=end), window)
            activity.heartbeat(*beaten)

    @activity.defn(name="sandbox.stop_command")
    async def stop_command(self, request: StopCommand) -> CommandResult:
        stream = stream_key(request.session, request.command_id)
        end = await self._store.stream_end_async(stream)
        stopped = command_result(request, CommandOutcome.STOPPED)
        return stopped.model_copy(update={"output_end": end})


def commands_then_finish(*wanted: str) -> "Scripted":
    """Script a model that runs these commands, one a step, and finishes."""
    return Scripted([calls((ToolName.BASH, each)) for each in wanted])


@dataclass
class Scripted:
    """Replies of a model, by step; `FINISH` when there are no more."""

    replies: list[Reply] = field(default_factory=list)

    def __call__(self, call: ModelCall) -> Reply:
        return self.replies[call.step - 1] if call.step <= len(self.replies) else FINISH


@asynccontextmanager
async def working(
    client: Client, store: Store, model: Scripted | Awaited
) -> AsyncIterator[ScriptedSandbox]:
    """Work on the gateway's sessions; histories are really archived."""
    sandbox = ScriptedSandbox(store)
    activities = [
        *activities_of(Sandbox, sandbox),
        *activities_of(Checks, FakeChecks(sandbox)),
        *activities_of(PullRequests, FakePullRequests()),
        *activities_of(Archive, StoreArchive(client, store)),
        *activities_of(Model, FakeModel(model)),
    ]
    async with AsyncExitStack() as stack:
        for queue in (names.SESSIONS_QUEUE, names.MODELS_QUEUE, names.HOSTS_QUEUE):
            worker = Worker(
                client,
                task_queue=queue,
                workflows=[AgentSession] if queue == names.SESSIONS_QUEUE else [],
                activities=activities,
                workflow_runner=WORKFLOW_RUNNER,
                max_heartbeat_throttle_interval=HEARTBEAT_INTERVAL,
            )
            await stack.enter_async_context(worker)
        yield sandbox


@dataclass
class Watcher:
    """A client of a session's socket, and all it got."""

    socket: ClientConnection
    hello: Hello | None = None
    events: list[SessionEvent] = field(default_factory=list)
    messages: list[ServerMessage | OutputMessage] = field(default_factory=list)
    logs: dict[CommandId, bytes] = field(default_factory=dict)
    offsets: dict[CommandId, int] = field(default_factory=dict)

    async def next(self) -> ServerMessage | OutputMessage:
        """Take the next message; output must go on where it was left."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                received = await self.socket.recv()
        except TimeoutError as error:
            why = f"nothing came after {self.messages[-3:]}"
            raise AssertionError(why) from error
        message: ServerMessage | OutputMessage
        if isinstance(received, bytes):
            message = OutputMessage.unpack(received)
            expected = self.offsets.get(message.command_id, message.offset)
            assert message.offset == expected, "a gap or an overlap"
            self.offsets[message.command_id] = message.offset + len(message.data)
            known = self.logs.get(message.command_id, b"")
            self.logs[message.command_id] = known + message.data
        else:
            message = SERVER_MESSAGE.validate_json(received)
        match message:
            case Hello():
                self.hello = message
            case Events():
                self.events += message.items
            case OutputSkipped():
                self.offsets[message.command_id] = message.end
            case _:
                pass
        self.messages.append(message)
        return message

    async def until(self, holds: "Callable[[Watcher], bool]") -> None:
        """Take messages until `holds(self)` is true."""
        while not holds(self):
            await self.next()

    async def until_kind(self, kind: str) -> SessionEvent:
        """Take messages until there is an event of a kind."""
        await self.until(lambda self: kind in self.kinds)
        return next(event for event in self.events if event.event.kind == kind)

    @property
    def kinds(self) -> list[str]:
        return [event.event.kind for event in self.events]

    def output(self, command: str, channel: Channel = Channel.STDOUT) -> bytes:
        """Return what a command printed on one channel, as far as it came."""
        log = self.logs.get(CommandId(command), b"")
        return b"".join(each.data for each in FrameDecoder().feed(log) if each.channel is channel)

    @property
    def troubles(self) -> list[str]:
        return [message.text for message in self.messages if isinstance(message, Trouble)]

    def texts(self, epoch: int) -> str:
        """Return the text of a reply as far as it came; every piece must fit the one before."""
        text = b""
        for message in self.messages:
            if isinstance(message, Text) and message.epoch == epoch:
                assert message.start == len(text)
                text += message.text.encode()
        return text.decode()

    def ended(self, command: str) -> bool:
        return any(
            isinstance(message, OutputEnded) and message.command_id == command
            for message in self.messages
        )

    async def caught_up(self) -> None:
        await self.until(
            lambda self: any(isinstance(message, CaughtUp) for message in self.messages)
        )

    async def drain(self) -> int | None:
        """Take messages until the gateway closes; returns the code."""
        with suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code


def url_of(gateway: Gateway, path: str) -> str:
    return f"ws://127.0.0.1:{gateway.port}{path}/ws"


@asynccontextmanager
async def watching(
    gateway: Gateway, path: str, subscription: Subscribe | None = None
) -> AsyncIterator[Watcher]:
    """Subscribe to a session; the socket is closed at the end."""
    headers = {"Authorization": f"Bearer {gateway_token(gateway.settings)}"}
    async with connect(
        url_of(gateway, path),
        subprotocols=[Subprotocol(PROTOCOL)],
        additional_headers=headers,
        max_size=None,
        compression=None,
    ) as socket:
        await socket.send((subscription or Subscribe()).model_dump_json())
        yield Watcher(socket)
