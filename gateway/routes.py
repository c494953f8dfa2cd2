"""The REST interface: one function per operation, none of which decides anything."""

import asyncio
from importlib import metadata
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from gateway.problems import MEDIA_TYPE, Code, ProblemError
from gateway.sessions.connection import Connection, bounded
from gateway.sessions.lifecycle import Accepted, Sessions
from gateway.sessions.listing import Listing
from gateway.sessions.options import options_of
from gateway.sessions.prompts import SESSION_ID
from gateway.sessions.records import Records
from runtime.settings import Settings
from workflows.contract.api import (
    CreateSession,
    Problem,
    PromptAccepted,
    PromptBody,
    ReopenSession,
    SessionList,
    SessionResource,
    StopSession,
)
from workflows.contract.base import Frozen, SessionId
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import Phase


class Services:
    """What the routes work with."""

    def __init__(self, settings: Settings, connection: Connection, records: Records) -> None:
        self.settings = settings
        self.connection = connection
        self.records = records
        self.listing = Listing(connection)
        self.sessions = Sessions(connection, records, self.listing)


class Health(Frozen):
    """The process serves."""

    status: str = "ok"


class Readiness(Frozen):
    """Temporal can be reached, so prompts are taken."""

    status: str = "ready"
    session_workers: int
    """How many workers have asked for sessions lately; with none, prompts wait."""


class Version(Frozen):
    """What is installed."""

    version: str


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _session_id(session: Annotated[str, Path(alias="session_id")]) -> SessionId:
    if not SESSION_ID.fullmatch(session):
        raise ProblemError(Code.SESSION_UNKNOWN, f"{session[:100]!a} is no session id")
    return SessionId(session)


Serving = Annotated[Services, Depends(_services)]
Session = Annotated[SessionId, Depends(_session_id)]

_PROBLEM = {"model": Problem, "content": {MEDIA_TYPE: {}}}
_REPEATED = {"description": "This very request had been accepted before"}

_SESSIONS = "/api/v1/sessions"
_SESSION = f"{_SESSIONS}/{{session_id}}"

router = APIRouter(
    responses=dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 421, 422, 503), _PROBLEM),
)


@router.post(_SESSIONS, operation_id="createSession", status_code=202, responses={200: _REPEATED})
async def create_session(
    body: CreateSession, serving: Serving, response: Response
) -> SessionResource:
    """Start a session with its first prompt; repeating the very same request is harmless."""
    options = await asyncio.to_thread(options_of, body, serving.settings)
    accepted = await serving.sessions.create(body.prompt, options, any_model=body.model is None)
    return _answer(accepted, response)


@router.get(_SESSIONS, operation_id="listSessions")
async def list_sessions(
    serving: Serving,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    phase: Phase | None = None,
) -> SessionList:
    """List sessions, newest first; at most a second old."""
    return await serving.listing.page(limit, cursor, phase)


@router.get(_SESSION, operation_id="getSession")
async def get_session(session: Session, serving: Serving) -> SessionResource:
    """Show a session; needs no worker."""
    return await serving.sessions.show(session)


@router.post(
    f"{_SESSION}/prompts", operation_id="sendPrompt", status_code=202, responses={200: _REPEATED}
)
async def send_prompt(
    body: PromptBody, session: Session, serving: Serving, response: Response
) -> PromptAccepted:
    """Give an open session a prompt; repeating the very same prompt is harmless."""
    accepted = await serving.sessions.prompt(session, body)
    if accepted.repeated:
        response.status_code = 200
    return accepted


@router.post(f"{_SESSION}/interrupt", operation_id="interruptSession", status_code=202)
async def interrupt_session(
    body: StopSession, session: Session, serving: Serving
) -> SessionResource:
    """Stop what runs; the session stays open for prompts. Shows it as it was just before."""
    return await serving.sessions.interrupt(session, body.reason)


@router.post(f"{_SESSION}/close", operation_id="closeSession", status_code=202)
async def close_session(body: StopSession, session: Session, serving: Serving) -> SessionResource:
    """Stop what runs, keep the work and end the session. Shows it as it was just before."""
    return await serving.sessions.close(session, body.reason)


@router.post(
    f"{_SESSION}/reopen",
    operation_id="reopenSession",
    status_code=202,
    responses={200: _REPEATED},
)
async def reopen_session(
    body: ReopenSession, session: Session, serving: Serving, response: Response
) -> SessionResource:
    """Go on with a closed session."""
    return _answer(await serving.sessions.reopen(session, body.prompt), response)


@router.get(f"{_SESSION}/pull-request", operation_id="getPullRequest")
async def get_pull_request(session: Session, serving: Serving) -> PullRequest:
    """Show the newest revision of what the session proposes."""
    return await serving.records.pull_request(session)


@router.get(
    f"{_SESSION}/pull-request/diff",
    operation_id="getPullRequestDiff",
    response_class=Response,
    responses={200: {"content": {"text/x-diff": {"schema": {"type": "string"}}}}},
)
async def get_pull_request_diff(session: Session, serving: Serving) -> Response:
    """Return the newest proposal's whole diff, in whatever encodings its files have."""
    diff = await serving.records.diff(session)
    return Response(diff, headers={"content-type": "text/x-diff"})


@router.get("/healthz", operation_id="getHealth")
async def get_health() -> Health:
    """Tell that the process serves."""
    return Health()


@router.get("/readyz", operation_id="getReadiness", responses={503: _PROBLEM})
async def get_readiness(serving: Serving) -> Readiness:
    """Tell whether prompts are taken, and whether anybody works on them."""
    async with bounded(Code.TEMPORAL_UNAVAILABLE):
        return Readiness(session_workers=await serving.connection.count_workers())


@router.get("/version", operation_id="getVersion")
async def get_version() -> Version:
    """Name the installed version."""
    return Version(version=metadata.version("overnight"))


def _answer(accepted: Accepted, response: Response) -> SessionResource:
    if accepted.repeated:
        response.status_code = 200
    return accepted.resource
