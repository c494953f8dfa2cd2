"""Clients of a session's websocket that do as little as they can, so that the gateway is timed."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from bench.stream.log import Log, WrongOutputError
from workflows.contract.base import CommandId, SessionId
from workflows.contract.events import Cursor
from workflows.contract.socket import (
    PROTOCOL,
    SERVER_MESSAGE,
    CaughtUp,
    Events,
    OutputChoice,
    OutputEnded,
    OutputMessage,
    Subscribe,
)

PATIENCE_SECONDS = 60.0
MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
STALLED_BUFFER_BYTES = 64 * 1024


class Door(NamedTuple):
    """Where the gateway is, and the token that opens it."""

    url: str
    token: str

    @property
    def port(self) -> int:
        """Return the gateway's port."""
        return urlsplit(self.url).port or 0

    def socket(self, session: SessionId, buffer_bytes: int | None = None) -> connect:
        """Return a connection to be made to a session's websocket."""
        address = f"ws{self.url.removeprefix('http')}/api/v1/sessions/{session}/ws"
        end = None
        if buffer_bytes is not None:
            end = socket.socket()
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            end.connect((urlsplit(self.url).hostname, self.port))
        return connect(
            address,
            sock=end,
            additional_headers={"Authorization": f"Bearer {self.token}"},
            subprotocols=[Subprotocol(PROTOCOL)],
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=PATIENCE_SECONDS,
            max_size=MESSAGE_LIMIT_BYTES,
        )


class Reader:
    """A client that reads all it gets and compares it with what the others got."""

    def __init__(self, door: Door, session: SessionId, log: Log) -> None:
        self._door = door
        self._session = session
        self.log = log
        self._cursor: Cursor | None = None
        self.command: CommandId | None = None
        self.position = 0
        self.end: int | None = None
        """Length of the log, once the gateway has said that there is no more."""

        self.lags: list[float] = []
        """Of every line, in seconds from when it was printed until it was here."""

        self.newest_printed = 0
        """When the newest line that it has was printed, in ns since the epoch."""

        self.caught_up = asyncio.Event()
        self.has_more = asyncio.Event()
        self.ended = asyncio.Event()

    @property
    def is_exact(self) -> bool:
        """It got the whole log, byte by byte, and nothing else."""
        return self.end == self.position == self.log.end and self.log.is_whole

    async def read(self, *, follow: bool = True) -> None:
        """Read until the command's output has ended; without `follow`, until the gateway closes.

        Raises:
            ConnectionClosed: the connection broke before.
            WrongOutputError: what came is wrong.
        """
        async with self._door.socket(self._session) as connection:
            await connection.send(self._subscribe(follow=follow).model_dump_json())
            async for message in connection:
                self._take(message)
                if follow and self.ended.is_set():
                    return

    async def read_stubbornly(self, may_connect: asyncio.Event) -> None:
        """Read on over broken connections, and connect whenever it may."""
        while not self.ended.is_set():
            await may_connect.wait()
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError):
                await self.read()

    def _subscribe(self, *, follow: bool) -> Subscribe:
        at = {self.command: self.position} if self.command is not None else {}
        return Subscribe(after=self._cursor, follow=follow, output=OutputChoice(at=at))

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._take_output(OutputMessage.unpack(message))
            return
        match SERVER_MESSAGE.validate_json(message):
            case Events(items=items) if items:
                self._cursor = items[-1].cursor
            case CaughtUp():
                self.caught_up.set()
            case OutputEnded(command_id=command, end=end) if command == self.command:
                self.end = end
                self.ended.set()
            case _:
                pass

    def _take_output(self, output: OutputMessage) -> None:
        if output.offset != self.position or self.command not in (None, output.command_id):
            message = f"{output.command_id} at {output.offset} came after {self.position}"
            raise WrongOutputError(message)
        now = time.time_ns()
        self.command = output.command_id
        self.position += len(output.data)
        lags = self.log.take(output.offset, output.data, now)
        if lags:
            self.lags += lags
            self.newest_printed = now - int(lags[-1] * 1e9)
            self.has_more.set()


@contextlib.asynccontextmanager
async def stalled(door: Door, session: SessionId, count: int) -> AsyncIterator[None]:
    """Hold connections that subscribe and then never read."""

    async def stall(connection: ClientConnection) -> None:
        await connection.send(Subscribe().model_dump_json())

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            connection = door.socket(session, STALLED_BUFFER_BYTES)
            # Said goodbye to, it would read.
            connected = await connection
            stack.callback(connected.transport.abort)
            await stall(connected)
        yield
