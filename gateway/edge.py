"""What every request passes before and after the routes: admission, body, headers, log line.

Plain ASGI, so that a refused request costs neither its body nor a route.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.bodies import check_json
from gateway.problems import Code, ProblemError
from runtime.settings import Settings
from workflows.contract.api import PROMPT_LIMIT_BYTES

BODY_LIMIT_BYTES = 1024 * 1024 + 64 * 1024
"""Leaves room for the other fields and for escapes beside a prompt of `PROMPT_LIMIT_BYTES`."""

BODY_SECONDS = 10.0
"""A body that takes longer to arrive is refused with 408."""

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/version"})
"""Answer without a token; hold nothing about sessions."""

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})

_CLIENT_GONE = 499
"""Logged as the status when nobody waited for the answer."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_JSON = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)

MARKS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""Headers of every answer, beside its request id."""

log = structlog.get_logger()


class _ClientGoneError(Exception):
    """The client hung up before its request was whole."""


class Edge:
    """Admits requests to the application behind it and marks every answer."""

    def __init__(self, app: ASGIApp, settings: Settings, is_token: Callable[[str], bool]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._is_token = is_token
        self._token_hint = f"send 'Authorization: Bearer <token>'; it is in {settings.token_path}"

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
        started = time.perf_counter()
        status = _CLIENT_GONE

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                marks = encoded(MARKS | {"x-request-id": request_id})
                message["headers"] = [*message.get("headers", ()), *marks]
            await send(message)

        try:
            await self._serve(scope, headers, receive, send_marked)
        finally:
            _log(scope, status, started)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        try:
            self._admit(scope, headers)
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
        given = headers.get("authorization")
        try:
            self._admit_origin(headers)
            _require_origin_or_token(headers)
        except ProblemError as problem:
            await receive()
            await _refuse(problem, scope["state"]["request_id"], send, "websocket.http.response")
            return
        scope["state"]["authenticated"] = None if given is None else self._is_credential(given)
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, headers: Headers) -> None:
        self._admit_origin(headers)
        if scope["path"] not in OPEN_PATHS:
            self._authenticate(headers)

    def _admit_origin(self, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        match = _HOST.fullmatch(host)
        if match is None or match[1] not in self._hosts:
            raise ProblemError(Code.HOST_NOT_ALLOWED, f"the Host header is {host[:200]!r}")
        for origin in headers.getlist("origin"):
            # Either scheme: a proxy in front may speak TLS.
            if origin.lower() not in (f"http://{host}", f"https://{host}"):
                detail = f"the Origin header is {origin[:200]!r}, the Host header {host!r}"
                raise ProblemError(Code.ORIGIN_NOT_ALLOWED, detail)

    def _authenticate(self, headers: Headers) -> None:
        given = headers.get("authorization", "")
        if not self._is_credential(given):
            detail = "the token is wrong" if given else "there is no Authorization header"
            challenge = {"www-authenticate": "Bearer"}
            raise ProblemError(
                Code.UNAUTHENTICATED, detail, hint=self._token_hint, headers=challenge
            )

    def _is_credential(self, given: str) -> bool:
        scheme, _, token = given.partition(" ")
        return scheme.capitalize() == "Bearer" and self._is_token(token.strip())


def encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI and h11 take them."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _log(scope: Scope, status: int, started: float) -> None:
    # Probes come every second or so; what they find is in their answers.
    write = log.debug if scope["path"] in OPEN_PATHS else log.info
    route = getattr(scope.get("route"), "path", "none")
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    write("request.served", method=scope["method"], route=route, status=status, ms=milliseconds)


def _sane_request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _require_origin_or_token(headers: Headers) -> None:
    # A browser names the origin of every socket; other clients send the token at once.
    if "origin" not in headers and "authorization" not in headers:
        detail = "there is neither an Origin nor an Authorization header"
        raise ProblemError(Code.ORIGIN_NOT_ALLOWED, detail)


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
