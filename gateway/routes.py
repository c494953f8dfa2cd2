"""The REST interface: one function per operation, none of which decides anything."""

import asyncio
from importlib import metadata
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gateway.services import Services
from gateway.serving import PROBLEMS, SESSION, SESSIONS, Prompt, Serving, Session
from gateway.sessions.connection import bounded
from gateway.sessions.lifecycle import Accepted
from gateway.sessions.options import defaulted, options_of
from gateway.sessions.prompts import session_of
from gateway.sessions.taking import taking
from gateway.streamed import streamed
from workflows.contract.api import (
    QUESTION_ID,
    Configure,
    CreateSession,
    Decision,
    DecisionTaken,
    OpenQuestion,
    PromptAccepted,
    PromptBody,
    PromptList,
    ReopenSession,
    SessionList,
    SessionResource,
    StopSession,
)
from workflows.contract.base import Frozen
from workflows.contract.findings import FindingReport
from workflows.contract.health import GatewayHealth
from workflows.contract.problems import Code
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import Phase, PromptsWaiting


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


_REPEATED = {"description": "This very request had been accepted before"}
_A_DIFF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/x-diff": {"schema": {"type": "string"}}}}
}

router = APIRouter(responses=PROBLEMS)


@router.post(SESSIONS, operation_id="createSession", status_code=202, responses={200: _REPEATED})
async def create_session(
    body: CreateSession, serving: Serving, response: Response
) -> SessionResource:
    """Start a session with its first prompt; repeating the very same request is harmless."""
    options = await asyncio.to_thread(options_of, body, serving.settings)
    with taking(session_of(body.prompt.id), body.prompt.id):
        accepted = await serving.sessions.create(body.prompt, options, defaulted=defaulted(body))
    return _answer(accepted, response)


@router.get(SESSIONS, operation_id="listSessions")
async def list_sessions(
    serving: Serving,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    phase: Phase | None = None,
) -> SessionList:
    """List sessions, newest first; at most a second old."""
    return await serving.listing.page(limit, cursor, phase)


@router.get(SESSION, operation_id="getSession")
async def get_session(session: Session, serving: Serving) -> SessionResource:
    """Show a session; needs no worker."""
    return await serving.sessions.show(session)


@router.post(
    f"{SESSION}/prompts", operation_id="sendPrompt", status_code=202, responses={200: _REPEATED}
)
async def send_prompt(
    body: PromptBody, session: Session, serving: Serving, response: Response
) -> PromptAccepted:
    """Give an open session a prompt; repeating the very same prompt is harmless."""
    with taking(session, body.id):
        accepted = await serving.sessions.prompt(session, body)
    if accepted.repeated:
        response.status_code = 200
    return accepted


@router.patch(SESSION, operation_id="configureSession", status_code=202)
async def configure_session(body: Configure, session: Session, serving: Serving) -> SessionResource:
    """Change model or budget from the next model call on. Shows it as it was just before."""
    return await serving.steering.configure(session, body)


@router.get(f"{SESSION}/prompts", operation_id="listPrompts")
async def list_prompts(session: Session, serving: Serving) -> PromptList:
    """List the prompts that wait; needs no worker."""
    return await serving.steering.waiting(session)


@router.put(f"{SESSION}/prompts/{{prompt_id}}", operation_id="revisePrompt")
async def revise_prompt(
    body: PromptBody, session: Session, prompt: Prompt, serving: Serving
) -> PromptsWaiting:
    """Put another prompt into the place of one that waits; repeating it is harmless."""
    with taking(session, body.id):
        return await serving.steering.revise(session, prompt, body)


@router.delete(f"{SESSION}/prompts/{{prompt_id}}", operation_id="withdrawPrompt")
async def withdraw_prompt(session: Session, prompt: Prompt, serving: Serving) -> PromptsWaiting:
    """Take back a prompt that waits."""
    return await serving.steering.withdraw(session, prompt)


@router.get(f"{SESSION}/question", operation_id="getQuestion")
async def get_question(session: Session, serving: Serving) -> OpenQuestion:
    """Show what the session asks a person, with the whole command or question."""
    return await serving.reviewing.question(session)


@router.get(
    f"{SESSION}/question/diff",
    operation_id="getQuestionDiff",
    response_class=Response,
    responses=_A_DIFF,
)
async def get_question_diff(
    session: Session,
    serving: Serving,
    question: Annotated[str | None, Query(pattern=QUESTION_ID)] = None,
) -> Response:
    """Return the whole diff of exactly the files that the session asks about."""
    return _diff(serving, await serving.reviewing.question_diff(session, question))


@router.get(f"{SESSION}/diff", operation_id="getDiff", response_class=Response, responses=_A_DIFF)
async def get_diff(session: Session, serving: Serving) -> Response:
    """Return the whole diff of the work that was judged last, proposed or not."""
    return _diff(serving, await serving.reviewing.diff(session))


@router.get(
    f"{SESSION}/findings",
    operation_id="getFindings",
    response_class=Response,
    responses={200: {"model": FindingReport}},
)
async def get_findings(session: Session, serving: Serving) -> Response:
    """Return all findings that block the work that was judged last."""
    findings = await serving.reviewing.findings(session)
    return streamed(findings, serving.settings.socket_stall_seconds, "application/json")


@router.post(f"{SESSION}/decisions", operation_id="decide", status_code=202)
async def decide(body: Decision, session: Session, serving: Serving) -> DecisionTaken:
    """Answer the question that the session asks; repeating the very same answer is harmless."""
    return await serving.steering.decide(session, body)


@router.post(f"{SESSION}/interrupt", operation_id="interruptSession", status_code=202)
async def interrupt_session(
    body: StopSession, session: Session, serving: Serving
) -> SessionResource:
    """Stop what runs; the session stays open for prompts. Shows it as it was just before."""
    return await serving.sessions.interrupt(session, body.reason)


@router.post(f"{SESSION}/close", operation_id="closeSession", status_code=202)
async def close_session(body: StopSession, session: Session, serving: Serving) -> SessionResource:
    """Stop what runs, keep the work and end the session. Shows it as it was just before."""
    return await serving.sessions.close(session, body.reason)


@router.post(
    f"{SESSION}/reopen",
    operation_id="reopenSession",
    status_code=202,
    responses={200: _REPEATED},
)
async def reopen_session(
    body: ReopenSession, session: Session, serving: Serving, response: Response
) -> SessionResource:
    """Go on with a closed session."""
    with taking(session, body.prompt.id):
        return _answer(await serving.sessions.reopen(session, body.prompt), response)


@router.get(f"{SESSION}/pull-request", operation_id="getPullRequest")
async def get_pull_request(session: Session, serving: Serving) -> PullRequest:
    """Show the newest revision of what the session proposes."""
    return await serving.records.pull_request(session)


@router.get(
    f"{SESSION}/pull-request/diff",
    operation_id="getPullRequestDiff",
    response_class=Response,
    responses=_A_DIFF,
)
async def get_pull_request_diff(session: Session, serving: Serving) -> Response:
    """Return the newest proposal's whole diff, in whatever encodings its files have."""
    return _diff(serving, await serving.records.diff(session))


@router.get("/healthz", operation_id="getHealth")
async def get_health() -> Health:
    """Tell that the process serves."""
    return Health()


@router.get("/readyz", operation_id="getReadiness", responses={503: PROBLEMS[503]})
async def get_readiness(serving: Serving) -> Readiness:
    """Tell whether prompts are taken, and whether anybody works on them."""
    async with bounded(Code.TEMPORAL_UNAVAILABLE):
        return Readiness(session_workers=await serving.connection.count_workers())


@router.get("/api/v1/health", operation_id="getGatewayHealth")
async def get_gateway_health(serving: Serving) -> GatewayHealth:
    """Look at Temporal, the workers and the store, for people: writes a byte. `/readyz` probes."""
    return await serving.health.look()


@router.get("/version", operation_id="getVersion")
async def get_version() -> Version:
    """Name the installed version."""
    return Version(version=metadata.version("overnight"))


def _diff(serving: Services, diff: bytes) -> Response:
    return streamed(diff, serving.settings.socket_stall_seconds, "text/x-diff")


def _answer(accepted: Accepted, response: Response) -> SessionResource:
    if accepted.repeated:
        response.status_code = 200
    return accepted.resource
