"""A TCP proxy on loopback that harms connections as a test tells it to.

    with ChaosProxy(gateway_port) as proxy:
        client.connect(proxy.port)
        proxy.to_client.latency_seconds = 0.2
        proxy.reset()

It runs in a thread of its own, so tests of either kind, with and without a loop, use it alike. What
a test asks for is done when the call returns. Faults that concern bytes are fields of `to_server`
and `to_client` (`tests/chaos/pump.py`).
"""

import asyncio
import concurrent.futures
import functools
import secrets
import socket
import struct
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

from cli.stack import ports
from tests.chaos.pump import CutError, Direction, Pump
from tests.patience import PATIENCE_SECONDS

HOST = "127.0.0.1"
SOCKET_BUFFER_BYTES = 64 * 1024
"""Small, so that the writer soon feels a reader that stalls."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """A client's connection and the one to the server that was made for it."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.server = _small(socket.socket())
        self.task: asyncio.Task[None] | None = None
        self.to_server: Pump | None = None
        self.to_client: Pump | None = None

    async def run(self, port: int, to_server: Direction, to_client: Direction) -> None:
        """Carry both directions until both have ended, one broke, or this is cancelled."""
        try:
            await asyncio.get_running_loop().sock_connect(self.server, (HOST, port))
            async with asyncio.TaskGroup() as group:
                self.to_server = Pump(self.client, self.server, to_server)
                self.to_client = Pump(self.server, self.client, to_client)
                group.create_task(self.to_server.run())
                group.create_task(self.to_client.run())
        except* CutError:
            pass
        except* OSError:
            # What happens to one side happens to the other.
            self.reset_on_close()

    def reset_on_close(self) -> None:
        """Let both sockets end with RST instead of FIN."""
        for end in (self.client, self.server):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    def close(self) -> None:
        """Close both sockets."""
        self.client.close()
        self.server.close()


class ChaosProxy:
    """Stands between clients and `upstream`, a port on loopback; stops with its context.

    All that is random follows from `seed`, which is written to stdout.
    """

    port: int
    """Where it listens; known once the context is entered."""

    def __init__(self, upstream: int, seed: int | None = None) -> None:
        self.upstream = upstream
        """Where new connections lead; may be changed at any time."""

        self.seed = secrets.randbits(32) if seed is None else seed
        self.to_server = Direction.seeded(f"{self.seed} to the server")
        self.to_client = Direction.seeded(f"{self.seed} to the client")
        self.connections = 0
        """Accepted so far."""

        self._open: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="chaos-proxy")
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._stopping = asyncio.Event()
        self._group: asyncio.TaskGroup
        self._listener: socket.socket
        self._accepting: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin to listen."""
        # Below the ephemeral ports, so that nobody is given this one while it is refused.
        self.port, self._reserved = ports.mark_any(HOST)
        sys.stdout.write(f"chaos proxy {self.port} for {self.upstream}, seed {self.seed}\n")
        self._thread.start()
        self._ready.result(PATIENCE_SECONDS)
        return self

    def __exit__(self, *error: object) -> None:
        """Cut everything and stop."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE_SECONDS)
        self._reserved.close()
        assert not self._thread.is_alive(), "the proxy does not stop"

    @property
    def open_connections(self) -> int:
        """How many connections there are now."""
        return len(self._open)

    def hold(self, *, held: bool = True) -> None:
        """Accept connections and forward nothing, neither way; or go on."""
        self.to_server.held = self.to_client.held = held

    def cut(self) -> None:
        """Close all connections; what is still on its way is lost."""
        self._do(self._cut())

    def reset(self) -> None:
        """End all connections with RST."""
        self._do(self._reset())

    def end_to_client(self) -> None:
        """Half-close all connections: clients read an end and may still send."""
        self._do(self._end(lambda connection: connection.to_client))

    def end_to_server(self) -> None:
        """Half-close all connections: the server reads an end and may still send."""
        self._do(self._end(lambda connection: connection.to_server))

    def refuse(self) -> None:
        """Refuse new connections; those that there are go on."""
        self._do(self._refuse())

    def accept(self) -> None:
        """Accept connections again, on the same port."""
        self._do(self._accept())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._accept()
            self._ready.set_result(None)
            await self._stopping.wait()
            await self._refuse()
            await self._cut()

    async def _accept(self) -> None:
        if self._accepting is None:
            self._listener = _small(socket.socket())
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((HOST, self.port))
            self._listener.listen(1024)
            self._accepting = self._group.create_task(self._admit())

    async def _refuse(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait((self._accepting,))
            self._listener.close()
            self._accepting = None

    async def _admit(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self.connections += 1
            connection = Connection(_small(client))
            self._open.add(connection)
            carrying = connection.run(self.upstream, self.to_server, self.to_client)
            connection.task = self._group.create_task(carrying)
            connection.task.add_done_callback(functools.partial(self._forget, connection))

    def _forget(self, connection: Connection, _ended: object) -> None:
        self._open.discard(connection)
        connection.close()

    async def _cut(self) -> None:
        tasks = [connection.task for connection in self._open if connection.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _reset(self) -> None:
        for connection in self._open:
            connection.reset_on_close()
        await self._cut()

    async def _end(self, which: Callable[[Connection], Pump | None]) -> None:
        for pump in map(which, self._open):
            if pump is not None:
                pump.end()


def _small(end: socket.socket) -> socket.socket:
    end.setblocking(False)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        end.setsockopt(socket.SOL_SOCKET, buffer, SOCKET_BUFFER_BYTES)
    return end
