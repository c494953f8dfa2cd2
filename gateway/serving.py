"""What the operations of the REST interface share: their services, paths and refusals."""

from typing import Annotated, Any

from fastapi import Depends, Path

from gateway.problems import MEDIA_TYPE, ProblemError
from gateway.services import Services, services_of
from gateway.sessions.prompts import SESSION_ID
from workflows.contract.api import PROMPT_ID, Problem
from workflows.contract.base import PromptId, SessionId
from workflows.contract.problems import Code


def _session_id(session: Annotated[str, Path(alias="session_id")]) -> SessionId:
    if not SESSION_ID.fullmatch(session):
        raise ProblemError(Code.SESSION_UNKNOWN, f"{session[:100]!a} is no session id")
    return SessionId(session)


Serving = Annotated[Services, Depends(services_of)]
Session = Annotated[SessionId, Depends(_session_id)]
Prompt = Annotated[PromptId, Path(alias="prompt_id", pattern=PROMPT_ID)]

SESSIONS = "/api/v1/sessions"
SESSION = f"{SESSIONS}/{{session_id}}"

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {MEDIA_TYPE: {}}}
    for status in (400, 401, 403, 404, 409, 413, 415, 421, 422, 429, 503)
}
"""Any operation may be refused with these."""
