"""A session's websocket: one task reads what the client asks for, one sends what it is to get.

The messages stand in `workflows/contract/socket.py`. What is sent is pulled (`feed/pulling.py`): a
client that reads slowly is sent to slowly, and costs no memory meanwhile.
"""

import asyncio
from collections.abc import Iterator
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.bodies import check_json
from gateway.feed.cursors import parse
from gateway.feed.pulling import Message, Puller
from gateway.feed.watching import Watch
from gateway.problems import ProblemError
from gateway.services import Services
from gateway.sessions.prompts import SESSION_ID
from gateway.sessions.taking import taking
from workflows.contract import cause
from workflows.contract.base import SessionId
from workflows.contract.problems import Code
from workflows.contract.socket import (
    CLIENT_MESSAGE,
    MESSAGE_LIMIT_BYTES,
    PROTOCOL,
    TICKET_PREFIX,
    Ack,
    Authenticate,
    ClientMessage,
    CloseCode,
    Decide,
    Hello,
    Interrupt,
    Nack,
    Ping,
    Pong,
    SendPrompt,
    Subscribe,
)

FIRST_MESSAGE_SECONDS = 10.0
"""A client that has not said who it is, or what it wants, by then is sent away."""

IDLE_SECONDS = 5.0
"""An idle client's task looks again at least so often, also whether its sign-in has ended."""

REASON_CHARACTERS = 300
"""A longer reason is cut, since it may quote what the client sent."""

REASON_BYTES = 123
"""A close frame has no more room."""

STRANGER_CHARACTERS = 4_096
"""A longer message is not looked at before its client has said who it is."""

First = TypeVar("First", Authenticate, Subscribe)

log = structlog.get_logger()


class _Leave(Exception):  # noqa: N818  # an event, not a mistake
    """The socket is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        reason = reason[:REASON_CHARACTERS]
        super().__init__(reason)
        self.code = code
        self.reason = reason


class SessionSocket:
    """One client's connection to one session."""

    def __init__(self, websocket: WebSocket, services: Services, session: str) -> None:
        self._websocket = websocket
        self._services = services
        self._session = SessionId(session)

    async def serve(self) -> None:
        """Serve until the client leaves or has all it wants."""
        protocol = PROTOCOL if PROTOCOL in self._websocket.scope["subprotocols"] else None
        await self._websocket.accept(protocol)
        leave: _Leave | None = _Leave(CloseCode.INTERNAL, "the gateway failed; see its log")
        try:
            await self._speak(protocol)
        except* (_Leave, ProblemError, WebSocketDisconnect) as group:
            leave = _leave_of(group)
        finally:
            if leave is not None:
                self._hang_up(leave)

    async def _speak(self, protocol: str | None) -> None:
        if protocol is None:
            raise _Leave(CloseCode.WRONG_PROTOCOL, f"offer the subprotocol {PROTOCOL}")
        await self._authenticate()
        # Strangers do not count: they leave soon, and must not keep others out.
        with self._services.one_more_socket():
            await self._serve_known()

    async def _serve_known(self) -> None:
        if not SESSION_ID.fullmatch(self._session):
            raise _Leave(
                CloseCode.SESSION_UNKNOWN, f"{Code.SESSION_UNKNOWN}: that is no session id"
            )
        subscription = await self._first(Subscribe)
        if subscription.after is not None:
            parse(subscription.after)
        async with self._services.feed.watch(self._session) as (watch, resource):
            newest = await watch.timeline.before(None, 1)
            head = newest[-1].event.cursor if newest else None
            await self._say(Hello(session=resource, head=head))
            cursor = await _start(watch, subscription)
            puller = Puller(watch, subscription, cursor)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._write(watch, puller))

    async def _authenticate(self) -> None:
        authenticated = self._websocket.scope["state"].get("authenticated")
        if authenticated is not None:
            if authenticated:
                return
            raise _Leave(CloseCode.UNAUTHENTICATED, f"{Code.UNAUTHENTICATED}: the token is wrong")
        for offered in self._websocket.scope["subprotocols"]:
            if offered.startswith(TICKET_PREFIX):
                if self._services.tickets.redeem(offered.removeprefix(TICKET_PREFIX)):
                    return
                reason = f"{Code.UNAUTHENTICATED}: the ticket is wrong, expired or used; ask anew"
                raise _Leave(CloseCode.UNAUTHENTICATED, reason)
        try:
            given = await self._first(Authenticate, STRANGER_CHARACTERS)
        except _Leave as leave:
            reason = f"{Code.UNAUTHENTICATED}: {leave.reason}"
            raise _Leave(CloseCode.UNAUTHENTICATED, reason) from leave
        if not self._services.is_token(given.token):
            raise _Leave(CloseCode.UNAUTHENTICATED, f"{Code.UNAUTHENTICATED}: the token is wrong")

    async def _first(self, kind: type[First], limit: int = MESSAGE_LIMIT_BYTES) -> First:
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                message = await self._receive(limit)
        except TimeoutError as error:
            patience = f"{FIRST_MESSAGE_SECONDS:.0f} s"
            reason = f"no message of type {_type_of(kind)!r} came in {patience}"
            raise _Leave(CloseCode.TIMEOUT, reason) from error
        if not isinstance(message, kind):
            reason = f"the message of type {message.type!r} came before {_type_of(kind)!r}"
            raise _Leave(CloseCode.BAD_MESSAGE, reason)
        return message

    async def _receive(self, limit: int = MESSAGE_LIMIT_BYTES) -> ClientMessage:
        """Return the client's next message, of at most `limit` characters.

        Raises:
            WebSocketDisconnect: it left.
            _Leave: it sent something else.
        """
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code") or 1005)
        text = received.get("text")
        if text is None:
            raise _Leave(CloseCode.NOT_TEXT, "messages to the gateway are text")
        if len(text) > limit:
            raise _Leave(CloseCode.BAD_MESSAGE, f"the message has {len(text)} characters")
        try:
            check_json(text.encode("utf-8", "surrogatepass"))
            return CLIENT_MESSAGE.validate_json(text)
        except ProblemError as problem:
            reason = f"{problem.code}: {problem.detail}"
            raise _Leave(CloseCode.BAD_MESSAGE, reason) from problem
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _Leave(CloseCode.BAD_MESSAGE, f"{place}: {first['msg']}") from error

    def _require_sign_in(self) -> None:
        """Send a browser away whose sign-in has ended since its handshake."""
        headers = self._websocket.headers
        by_cookie = self._websocket.scope["state"]["authenticated"] and (
            "authorization" not in headers
        )
        if by_cookie and not self._services.browsers.knows(headers.getlist("cookie")):
            reason = f"{Code.UNAUTHENTICATED}: the browser's sign-in has ended; sign in again"
            raise _Leave(CloseCode.UNAUTHENTICATED, reason)

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            self._require_sign_in()
            match message:
                case Ping():
                    await self._say(Pong(id=message.id))
                case SendPrompt() | Interrupt() | Decide():
                    await self._say(await self._carry_out(message))
                case Authenticate() | Subscribe():
                    reason = f"a second message of type {message.type!r}"
                    raise _Leave(CloseCode.BAD_MESSAGE, reason)

    async def _carry_out(self, message: SendPrompt | Interrupt | Decide) -> Ack | Nack:
        sessions = self._services.sessions
        cause.work_for(self._session)
        try:
            match message:
                case SendPrompt():
                    with taking(self._session, message.prompt.id):
                        await sessions.prompt(self._session, message.prompt)
                case Interrupt():
                    await sessions.interrupt(self._session, message.reason)
                case Decide():
                    await self._services.steering.decide(self._session, message.decision)
        except ProblemError as problem:
            request_id = self._websocket.scope["state"]["request_id"]
            return Nack(id=message.id, problem=problem.problem(request_id))
        return Ack(id=message.id)

    async def _write(self, watch: Watch, puller: Puller) -> None:
        while True:
            self._require_sign_in()
            version = watch.version
            messages = await puller.pull()
            for message in messages:
                await self._send(message)
            if puller.is_done:
                raise _Leave(CloseCode.DRAINED, "all is sent")
            if watch.is_stopped:
                raise _Leave(CloseCode.INTERNAL, "the gateway failed; its log holds the cause")
            if messages:
                continue
            await watch.newer_than(version, IDLE_SECONDS)

    async def _say(self, message: BaseModel) -> None:
        await self._send(message.model_dump_json())

    async def _send(self, message: Message) -> None:
        patience = self._services.settings.socket_stall_seconds
        try:
            async with asyncio.timeout(patience):
                if isinstance(message, str):
                    await self._websocket.send_text(message)
                else:
                    await self._websocket.send_bytes(message)
        except TimeoutError as error:
            reason = f"nothing was read for {patience:g} s; come back with the last cursor"
            raise _Leave(CloseCode.LATER, reason) from error
        # A client that reads as fast as we send would never let the others run.
        await asyncio.sleep(0)

    def _hang_up(self, leave: _Leave) -> None:
        log.info("socket.closed", session=self._session, code=leave.code, reason=leave.reason)
        reason = leave.reason.encode()[:REASON_BYTES].decode(errors="ignore")
        # Not by a message: a client that does not read would never get it.
        self._websocket.scope["state"]["hang_up"](leave.code, reason)


async def _start(watch: Watch, subscription: Subscribe) -> str | None:
    """Return the cursor behind which a client begins."""
    if subscription.after is not None or subscription.recent is None:
        return subscription.after
    skipped = await watch.timeline.before(None, subscription.recent + 1)
    return skipped[0].cursor if len(skipped) > subscription.recent else None


def _leave_of(group: BaseExceptionGroup[Exception]) -> _Leave | None:
    """Return how the socket is closed; none when the client has left."""
    found = list(_leaves(group))
    if any(isinstance(error, WebSocketDisconnect) for error in found):
        return None
    for error in found:
        if isinstance(error, _Leave):
            return error
        if isinstance(error, ProblemError):
            code = _CLOSE_CODES.get(error.code, CloseCode.LATER)
            return _Leave(code, f"{error.code}: {error.detail}")
    return None


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _type_of(kind: type[First]) -> str:
    return str(kind.model_fields["type"].default)


_CLOSE_CODES = {
    Code.SESSION_UNKNOWN: CloseCode.SESSION_UNKNOWN,
    Code.INVALID_REQUEST: CloseCode.BAD_MESSAGE,
}
"""Of problems that do not pass; all others ask the client to come back later."""
