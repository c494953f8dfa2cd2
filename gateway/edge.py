"""What every request passes before and after the routes: admission, body, headers, log line.

Plain ASGI, so that a refused request costs neither its body nor a route.
"""

import asyncio
import re
import secrets
import time
from contextlib import AbstractContextManager, nullcontext

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admission import Admission, is_probe
from gateway.bodies import check_json
from gateway.problems import ProblemError
from runtime import telemetry, tracing
from workflows.contract import cause, metrics
from workflows.contract.api import PROMPT_LIMIT_BYTES
from workflows.contract.cause import Cause
from workflows.contract.problems import Code

BODY_LIMIT_BYTES = 2 * PROMPT_LIMIT_BYTES + 64 * 1024
"""Leaves room for the other fields and for a prompt whose every mark JSON escapes by one more."""

BODY_SECONDS = 10.0
"""A body that takes longer to arrive is refused with 408."""

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
METHODS = BODY_METHODS | {"GET", "HEAD", "DELETE", "OPTIONS"}
"""All others are counted together."""

_CLIENT_GONE = 499
"""Logged as the status when nobody waited for the answer."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_JSON = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)

MARKS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every answer that does not set them itself, beside its request id."""

log = structlog.get_logger()


class _ClientGoneError(Exception):
    """The client hung up before its request was whole."""


class Edge:
    """Admits requests to the application behind it and marks every answer."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; logs one line for it, without its query."""
        headers = Headers(scope=scope)
        request_id = _sane_request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["type"] == "websocket":
            await self._serve_socket(scope, headers, receive, send)
            return
        # A connection's requests may share one context, so a failed one's id would stick.
        structlog.contextvars.unbind_contextvars("error_id")
        structlog.contextvars.bind_contextvars(request_id=request_id)
        cause.CAUSE.set(Cause())
        started = time.perf_counter()
        status = _CLIENT_GONE

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = list(message.get("headers", ()))
                marks = encoded(MARKS | {"x-request-id": request_id})
                named = {name for name, _ in own}
                message["headers"] = [*own, *(mark for mark in marks if mark[0] not in named)]
            await send(message)

        with _traced(scope, headers):
            try:
                await self._serve(scope, headers, receive, send_marked)
            finally:
                _note(scope, status, time.perf_counter() - started)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        try:
            self._admission.admit(scope, headers)
            if scope["method"] in BODY_METHODS:
                _require_json(headers)
                body = await _read_body(headers, receive)
                check_json(body)
                receive = _replay(body, receive)
        except ProblemError as problem:
            await _refuse(problem, scope["state"]["request_id"], send)
            return
        except _ClientGoneError:
            return
        await self._app(scope, receive, send)

    async def _serve_socket(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """Refuse the handshake, or hand it on with `authenticated`: true, false or not said yet."""
        try:
            authenticated = self._admission.admit_socket(headers)
        except ProblemError as problem:
            await receive()
            await _refuse(problem, scope["state"]["request_id"], send, "websocket.http.response")
            return
        scope["state"]["authenticated"] = authenticated
        await self._app(scope, receive, send)


def encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI and h11 take them."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _traced(scope: Scope, headers: Headers) -> AbstractContextManager[None]:
    # Probes would be most of all traces.
    if is_probe(scope):
        return nullcontext()
    return tracing.span(scope["method"], {}, kind="SERVER", parent=headers.get("traceparent", ""))


def _note(scope: Scope, status: int, seconds: float) -> None:
    """Log, count and trace a request that was served."""
    # Probes come every second or so; what they find is in their answers.
    write = log.debug if is_probe(scope) else log.info
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    milliseconds = round(seconds * 1000, 1)
    write("request.served", method=scope["method"], route=route, status=status, ms=milliseconds)
    telemetry.count(metrics.REQUESTS, route=route, method=method, status=f"{status // 100}xx")
    telemetry.measure(metrics.REQUEST_SECONDS, seconds, route=route, method=method)
    tracing.note(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        },
        name=f"{method} {route}",
    )


def _sane_request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _require_json(headers: Headers) -> None:
    # A form or text/plain would reach us from any site without the browser asking first.
    given = headers.get("content-type", "")
    if not _JSON.fullmatch(given.strip()):
        raise ProblemError(
            Code.MEDIA_TYPE_NOT_SUPPORTED, f"the Content-Type header is {given[:200]!r}"
        )


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    declared = headers.get("content-length", "0")
    if int(declared) > BODY_LIMIT_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _ClientGoneError
                body += message.get("body", b"")
                if len(body) > BODY_LIMIT_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as error:
        detail = f"{len(body)} bytes of the body arrived in {BODY_SECONDS:.0f} s"
        closing = {"connection": "close"}
        raise ProblemError(Code.REQUEST_TIMEOUT, detail, headers=closing) from error


def _too_large() -> ProblemError:
    detail = f"at most {BODY_LIMIT_BYTES} bytes are taken, {PROMPT_LIMIT_BYTES} of them prompt"
    return ProblemError(Code.BODY_TOO_LARGE, detail)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


async def _refuse(
    problem: ProblemError, request_id: str, send: Send, kind: str = "http.response"
) -> None:
    answer = problem.answer(request_id)
    headers = encoded(answer.headers | {"content-length": str(len(answer.body))})
    await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": answer.body, "more_body": False})
