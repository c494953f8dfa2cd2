"""The HTTP server: uvicorn with limits on time and size that it does not have by itself."""

import asyncio
import secrets
import socket
from collections.abc import Callable

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.edge import MARKS, encoded
from gateway.problems import ProblemError
from workflows.contract.problems import Code
from workflows.contract.socket import MESSAGE_LIMIT_BYTES

HEADER_SECONDS = 10.0
"""A request's headers that take longer to arrive are refused with 408."""

HEADER_LIMIT_BYTES = 32 * 1024
"""Request line and headers together; more is refused with 400."""

LINGER_SECONDS = 2.0
"""So long is thrown away what follows a refusal: hanging up at once could destroy the answer."""

IDLE_SECONDS = 5
"""A connection without a request is closed."""

BACKLOG = 1_024
"""Connections that wait to be accepted."""

PING_SECONDS = 20.0
"""A socket is asked for a sign of life so often, and ended without one after as long again."""

LATE_PONGS = 4
"""So many times a client is given as long again when it has much to read before it can answer;
longer than `OVERNIGHT_SOCKET_STALL_SECONDS` usually is, which says better why it ends."""

CLOSE_SECONDS = 5.0
"""So long a client may take to read what was on its way when its socket is closed."""

GRACE_SECONDS = 8
"""Requests being served when the gateway stops may take so long."""

CONNECTIONS_LIMIT = 1_000
"""More are answered with 503, before what they ask is read."""


class BoundedConnection(H11Protocol):
    """A connection that nobody can hold open by sending slowly."""

    _header_timer: asyncio.TimerHandle | None = None
    _is_refused = False
    _is_one_too_many = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base
        """Start the clock for the first request."""
        super().connection_made(transport)
        limit, self.limit_concurrency = self.limit_concurrency, None
        # By itself uvicorn would refuse, as plain text, also those that came before.
        self._is_one_too_many = limit is not None and len(self.connections) > limit
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._unwatch_headers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the clock at a request's first byte and stop it when its headers are whole."""
        if self._is_refused:
            return
        if self._is_one_too_many:
            detail = f"{len(self.connections)} connections are open"
            self._refuse(ProblemError(Code.TOO_MANY_CONNECTIONS, detail))
            return
        super().data_received(data)
        if self.scope is not None:
            # For answers without end: to close waits for a client that does not read.
            self.scope["state"]["abort"] = self.transport.abort
        if self.conn.their_state is h11.IDLE and not self._is_refused:
            self._watch_headers()
        else:
            self._unwatch_headers()

    def on_response_complete(self) -> None:
        """Bound how long the rest of a refused body is thrown away."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self.loop.call_later(LINGER_SECONDS, self._stop_lingering, self.cycle)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with a problem, as everything else."""
        self._refuse(ProblemError(Code.MALFORMED_REQUEST, msg))

    def _watch_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADER_SECONDS, self._give_up_headers)

    def _unwatch_headers(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _give_up_headers(self) -> None:
        detail = f"the headers did not arrive in {HEADER_SECONDS:.0f} s"
        self._refuse(ProblemError(Code.REQUEST_TIMEOUT, detail))

    def _stop_lingering(self, cycle: object) -> None:
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _refuse(self, problem: ProblemError) -> None:
        self._unwatch_headers()
        if self.transport.is_closing():
            return
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # an answer has begun already
            return
        self._is_refused = True
        request_id = secrets.token_hex(8)
        answer = problem.answer(request_id)
        fields = {
            **answer.headers,
            **MARKS,
            "x-request-id": request_id,
            "content-length": str(len(answer.body)),
            "connection": "close",
        }
        events = (
            h11.Response(status_code=answer.status, headers=encoded(fields)),
            h11.Data(data=answer.body),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


class BoundedSocket(WebSocketsSansIOProtocol):
    """A websocket that can be hung up although its client does not read."""

    _late_pongs = 0

    def handle_connect(self, event: Request) -> None:
        """Let the application hang up: `scope["state"]["hang_up"](code, reason)`."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["state"]["hang_up"] = self._hang_up

    def resume_writing(self) -> None:
        """Take note that the client reads."""
        self._late_pongs = 0
        super().resume_writing()

    def keepalive_timeout(self) -> None:
        """End a connection without a sign of life; one whose client is busy reading gets time."""
        self._late_pongs += 1
        if self.writable.is_set() or self._late_pongs > LATE_PONGS:
            self._hang_up(1011, "no sign of life")
        else:
            # The ping lies behind what the client has not read yet.
            patience = self.ping_timeout or PING_SECONDS
            self.pong_timer = self.loop.call_later(patience, self.keepalive_timeout)

    async def send(self, message: ASGISendEvent) -> None:
        """Send, unless the connection was hung up meanwhile."""
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)

    def _hang_up(self, code: int, reason: str) -> None:
        """Send a close frame behind what is on its way, and end the connection soon after."""
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # Not `close`: it waits for the client to read what it does not.
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)


class Server(uvicorn.Server):
    """A server that tells when it begins to stop, so that endless answers end."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, within `GRACE_SECONDS`."""
        self._on_stop()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        OSError: the address is taken or not of this machine.
    """
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left open asyncio does not switch Nagle's algorithm off: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def create_server(
    app: ASGIApp,
    on_stop: Callable[[], None],
    *,
    ping_seconds: float = PING_SECONDS,
    connections_limit: int = CONNECTIONS_LIMIT,
) -> Server:
    """Return the server of an application; it listens on the sockets given to its `serve`."""
    config = uvicorn.Config(
        app,
        http=BoundedConnection,
        ws=BoundedSocket,
        ws_max_size=MESSAGE_LIMIT_BYTES,
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=ping_seconds,
        # Costs more processor time than the loopback interface or a local network is slow.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=connections_limit,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
    )
    return Server(config, on_stop)
