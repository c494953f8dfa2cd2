"""The ASGI application: the routes, every failure as a problem, and the edge around them."""

import secrets
from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from gateway import pages, routes, signing_in, streaming
from gateway.admission import Admission
from gateway.edge import Edge
from gateway.problems import ProblemError
from gateway.services import Services
from workflows.contract.problems import Code

_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.BODY_TOO_LARGE}

log = structlog.get_logger()


def create_app(services: Services) -> ASGIApp:
    """Return the application; it serves before the connection has a client."""
    app = interface()
    app.state.services = services
    app.include_router(pages.create_pages(pages.FOLDER))
    admission = Admission(services.settings, services.is_token, services.browsers)
    return Edge(app, admission)


def interface() -> FastAPI:
    """Return what programs can ask; without services it can only be described."""
    app = FastAPI(
        title="Overnight",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(routes.router)
    app.include_router(streaming.router)
    app.include_router(signing_in.router)
    app.add_exception_handler(ProblemError, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_defect)
    return app


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101  # Starlette types handlers by the root
    return _respond(request, error)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    fields = tuple(_field(each) for each in error.errors())
    detail = "1 field is wrong" if len(fields) == 1 else f"{len(fields)} fields are wrong"
    return _respond(request, ProblemError(Code.INVALID_REQUEST, detail, errors=fields))


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = _CODES.get(error.status_code, Code.MALFORMED_REQUEST)
    detail = f"{request.method} {request.url.path[:200]!a}: {error.detail}"
    return _respond(request, ProblemError(code, detail, headers=error.headers))


async def _answer_defect(request: Request, error: Exception) -> Response:
    # Starlette raises the error on, and uvicorn logs it with its traceback and this id.
    error_id = secrets.token_hex(8)
    structlog.contextvars.bind_contextvars(error_id=error_id)
    log.error("request.failed", error=type(error).__name__)
    return _respond(request, ProblemError(Code.INTERNAL_ERROR, f"error id {error_id}"))


def _respond(request: Request, problem: ProblemError) -> Response:
    answer = problem.answer(request.state.request_id)
    return Response(answer.body, answer.status, answer.headers)


def _field(error: Mapping[str, object]) -> str:
    # Neither the value nor its message's context: they may be as long as the body.
    location = error["loc"]
    path = ".".join(str(part)[:100] for part in location) if isinstance(location, tuple) else ""
    return f"{path}: {error['msg']}"
