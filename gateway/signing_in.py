"""How a browser signs in and out: the token or a ticket for a cookie that scripts cannot read."""

from typing import Self

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import Field, model_validator

from gateway.admission import SIGN_IN
from gateway.browsers import LIFETIME_SECONDS
from gateway.problems import ProblemError
from gateway.services import Services
from gateway.serving import PROBLEMS, Serving
from workflows.contract.base import Frozen
from workflows.contract.problems import Code
from workflows.contract.socket import Ticket

log = structlog.get_logger()

router = APIRouter(responses=PROBLEMS)


class SignIn(Frozen):
    """What stands for the person: the gateway's token or a ticket, not both."""

    token: str | None = Field(default=None, max_length=1_000)
    ticket: str | None = Field(default=None, max_length=1_000)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.token is None) == (self.ticket is None):
            message = "give 'token' or 'ticket', and not both"
            raise ValueError(message)
        return self


@router.post(SIGN_IN, operation_id="signIn", status_code=204)
async def sign_in(body: SignIn, serving: Serving, request: Request) -> Response:
    """Sign this browser in for 30 days by a cookie; needs no other credential."""
    _require_person(body, serving)
    log.info("browser.signed_in", by="token" if body.ticket is None else "ticket")
    return _with_cookie(request, serving.browsers.cookie_name, serving.browsers.sign_in())


@router.delete(SIGN_IN, operation_id="signOut", status_code=204)
async def sign_out(serving: Serving, request: Request) -> Response:
    """Sign this browser out."""
    browsers = serving.browsers
    browsers.sign_out(browsers.values(request.headers.getlist("cookie")))
    return _with_cookie(request, browsers.cookie_name, None)


@router.post(f"{SIGN_IN}/tickets", operation_id="createSignInTicket", status_code=201)
async def create_sign_in_ticket(serving: Serving) -> Ticket:
    """Let one browser sign in, once, by the link `<gateway>/#ticket=<ticket>`."""
    tickets = serving.sign_in_tickets
    return Ticket(ticket=tickets.issue(), expires_in_seconds=tickets.lifetime_seconds)


def _require_person(body: SignIn, serving: Services) -> None:
    if body.ticket is not None:
        if serving.sign_in_tickets.redeem(body.ticket):
            return
        detail, hint = "the ticket is wrong, expired or used", "ask for another: overnight open"
    else:
        if serving.is_token(body.token or ""):
            return
        detail = "the token is wrong"
        hint = f"run `overnight open`, or take the token from {serving.settings.token_path}"
    challenge = {"www-authenticate": "Bearer"}
    raise ProblemError(Code.UNAUTHENTICATED, detail, hint=hint, headers=challenge)


def _with_cookie(request: Request, name: str, value: str | None) -> Response:
    """Answer with the cookie; without a value the browser is to forget it."""
    response = Response(status_code=204)
    response.set_cookie(
        name,
        value or "",
        max_age=LIFETIME_SECONDS if value else 0,
        path="/",
        secure=_is_encrypted(request),
        httponly=True,
        samesite="strict",
    )
    return response


def _is_encrypted(request: Request) -> bool:
    # A proxy in front that speaks TLS shows in the page's origin only.
    return "https" in (request.url.scheme, request.headers.get("origin", "").partition(":")[0])
