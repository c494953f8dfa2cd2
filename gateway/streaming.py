"""What can be watched over HTTP: events as pages or as a stream, output by range, the socket."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Path, Query, Response, WebSocket

from gateway.feed import cursors
from gateway.feed.output import Part
from gateway.feed.runs import Line
from gateway.problems import ProblemError
from gateway.services import Services, services_of
from gateway.serving import PROBLEMS, SESSION, Serving, Session
from gateway.sessions.records import asking_store
from gateway.streamed import Streamed
from gateway.websocket import SessionSocket
from workflows.contract.base import CommandId, SessionId
from workflows.contract.events import EventPage
from workflows.contract.problems import Code
from workflows.contract.socket import Ticket

EVENT_STREAM = "text/event-stream"

KEEPALIVE_SECONDS = 15.0
"""A stream says at least so often that it lives."""

STREAMED_EVENTS = 200

_COMMAND = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$"


class _Where:
    """Which events are asked for; refuses cursors that no gateway gave."""

    def __init__(
        self,
        before: Annotated[str | None, Query(max_length=60)] = None,
        after: Annotated[str | None, Query(max_length=60)] = None,
        last_event_id: Annotated[str | None, Header(max_length=60)] = None,
    ) -> None:
        if before is not None and after is not None:
            detail = "give 'before' or 'after', not both"
            errors = ("query.before: excludes after",)
            raise ProblemError(Code.INVALID_REQUEST, detail, errors=errors)
        for cursor in (before, after, last_event_id):
            if cursor is not None:
                cursors.parse(cursor)
        self.before = before
        self.after = after
        self.last_event_id = last_event_id


log = structlog.get_logger()

router = APIRouter(responses=PROBLEMS)


@router.get(
    f"{SESSION}/events",
    operation_id="listEvents",
    response_model=EventPage,
    responses={
        200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}},
        204: {"description": "The session is closed and has no events behind Last-Event-ID"},
    },
)
async def list_events(
    session: Session,
    serving: Serving,
    where: Annotated[_Where, Depends()],
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Return the newest events, those before or after a cursor, or all that follow as a stream.

    As `text/event-stream` it begins behind `Last-Event-ID` or `after`, else with the first event,
    and ends when the session is closed.
    """
    if EVENT_STREAM not in accept:
        page = await serving.feed.page(session, limit, before=where.before, after=where.after)
        return Response(page.json(), media_type="application/json")
    stream = event_stream(serving, session, where.last_event_id or where.after)
    # Refused now if at all: once an answer has begun, it has its status.
    first = await anext(stream, None)
    if first is None:
        # What tells a browser not to come back.
        return Response(status_code=204)
    patience = serving.settings.socket_stall_seconds
    return Streamed(_beginning_with(first, stream), patience, media_type=EVENT_STREAM)


async def event_stream(
    serving: Services,
    session: SessionId,
    cursor: str | None,
    *,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
) -> AsyncGenerator[bytes]:
    """Yield a session's events; nothing at all when it is closed and the client has them."""
    async with serving.feed.watch(session) as (watch, _):
        # Taken before looking: what comes meanwhile is looked at again.
        version, is_closed = watch.version, watch.is_closed
        lines = await watch.timeline.after(cursor, STREAMED_EVENTS)
        if lines or not is_closed:
            yield b": the events of a session\n\n"
        said = time.monotonic()
        while not watch.is_stopped:
            if lines:
                yield "".join(map(_server_sent, lines)).encode()
                said, cursor = time.monotonic(), lines[-1].cursor
            elif is_closed:
                return
            elif (silent := time.monotonic() - said) < keepalive_seconds:
                # Newer is also what a command prints, which is no event.
                await watch.newer_than(version, keepalive_seconds - silent)
            else:
                yield b": still here\n\n"
                said = time.monotonic()
            version, is_closed = watch.version, watch.is_closed
            try:
                lines = await watch.timeline.after(cursor, STREAMED_EVENTS)
            except ProblemError as problem:
                # The client comes back with its cursor and is then told why.
                log.info("events.interrupted", session=session, reason=str(problem))
                return


async def _beginning_with(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk


def _server_sent(line: Line) -> str:
    return f"id: {line.cursor}\nevent: {line.event.event.kind}\ndata: {line.json}\n\n"


@router.get(
    f"{SESSION}/commands/{{command_id}}/output",
    operation_id="getOutput",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        206: {"description": "The bytes of the Range header"},
        416: PROBLEMS[404],
    },
)
async def get_output(
    session: Session,
    serving: Serving,
    command_id: Annotated[str, Path(pattern=_COMMAND)],
    stream: Part = "stdout",
    range_header: Annotated[str | None, Header(alias="range", max_length=200)] = None,
) -> Response:
    """Return what a command has printed so far, or a range of it; `log` is both with times."""
    await serving.records.require_session(session)
    command, outputs = CommandId(command_id), serving.outputs
    with asking_store("read"):
        extent = await asyncio.to_thread(outputs.locate, session, command, stream, range_header)
    return Streamed(
        _chunks(outputs.read(session, command, stream, extent)),
        serving.settings.socket_stall_seconds,
        status_code=206 if extent.is_partial else 200,
        media_type="application/octet-stream",
        headers=extent.headers(),
    )


async def _chunks(reading: Iterator[bytes]) -> AsyncGenerator[bytes]:
    while (chunk := await asyncio.to_thread(next, reading, None)) is not None:
        yield chunk


@router.post("/api/v1/tickets", operation_id="createTicket", status_code=201)
async def create_ticket(serving: Serving) -> Ticket:
    """Let a browser open one websocket, once: it offers `ticket.<ticket>` as a subprotocol."""
    tickets = serving.tickets
    return Ticket(ticket=tickets.issue(), expires_in_seconds=tickets.lifetime_seconds)


@router.websocket(f"{SESSION}/ws")
async def watch_session(websocket: WebSocket, session_id: str) -> None:
    """Serve a session's socket; see `workflows/contract/socket.py`."""
    await SessionSocket(websocket, services_of(websocket), session_id).serve()
