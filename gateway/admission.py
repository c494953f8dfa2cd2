"""Who is let in: by Host, Origin and credentials, before a body or a route costs anything.

Used by `edge` for every request and for the handshake of every websocket.
"""

import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.browsers import Browsers
from gateway.problems import ProblemError
from runtime.settings import Settings
from workflows.contract.problems import Code

PROBES = frozenset({"/healthz", "/readyz", "/version"})
"""Answer without a token; hold nothing about sessions."""

SIGN_IN = "/api/v1/browser"
"""Takes the token, or a ticket, in the body of a POST."""

PAGE_FOLDERS = ("/s/", "/page/")
"""Hold the page's files, as `/` does, and nothing about sessions."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class Admission:
    """Lets requests and sockets in, or says why not."""

    def __init__(
        self, settings: Settings, is_token: Callable[[str], bool], browsers: Browsers
    ) -> None:
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._is_token = is_token
        self._browsers = browsers
        self._token_hint = f"send 'Authorization: Bearer <token>'; it is in {settings.token_path}"

    def admit(self, scope: Scope, headers: Headers) -> None:
        """Let a request in.

        Raises:
            ProblemError: `host_not_allowed`, `origin_not_allowed` or `unauthenticated`.
        """
        self._admit_origin(headers)
        if not _is_open(scope):
            self._authenticate(scope["method"], headers)

    def admit_socket(self, headers: Headers) -> bool | None:
        """Let a socket in; tell whether its client is known: yes, no, or not said yet.

        Raises:
            ProblemError: `host_not_allowed` or `origin_not_allowed`.
        """
        self._admit_origin(headers)
        given = headers.get("authorization")
        if given is not None:
            return self._is_credential(given)
        # A browser names the origin of every socket; other clients send the token at once.
        if "origin" not in headers:
            detail = "there is neither an Origin nor an Authorization header"
            raise ProblemError(Code.ORIGIN_NOT_ALLOWED, detail)
        return True if self._browsers.knows(headers.getlist("cookie")) else None

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

    def _authenticate(self, method: str, headers: Headers) -> None:
        given = headers.get("authorization")
        if given is not None and self._is_credential(given):
            return
        if given is None and self._browsers.knows(headers.getlist("cookie")):
            _require_own_page(method, headers)
            return
        # No challenge of a scheme that a browser would ask a person about.
        challenge = {"www-authenticate": "Bearer"}
        detail = "the token is wrong" if given else self._missing(headers)
        raise ProblemError(Code.UNAUTHENTICATED, detail, hint=self._token_hint, headers=challenge)

    def _missing(self, headers: Headers) -> str:
        if self._browsers.values(headers.getlist("cookie")):
            return "the browser's sign-in has ended; sign in again"
        return "there is no Authorization header"

    def _is_credential(self, given: str) -> bool:
        scheme, _, token = given.partition(" ")
        return scheme.capitalize() == "Bearer" and self._is_token(token.strip())


def is_probe(scope: Scope) -> bool:
    """Tell whether a request only asks how the gateway is."""
    return scope["path"] in PROBES


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    if scope["method"] == "POST" and path == SIGN_IN:
        return True
    return path in PROBES or path == "/" or path.startswith(PAGE_FOLDERS)


def _require_own_page(method: str, headers: Headers) -> None:
    """Refuse a request that another page made with this browser's cookie.

    `SameSite` does not: to a browser, a page of another port of this host is the same site.
    """
    site = headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        detail = f"the browser says that a {site[:50]!r} page made the request"
        raise ProblemError(Code.ORIGIN_NOT_ALLOWED, detail)
    if method not in SAFE_METHODS and "origin" not in headers:
        detail = f"{method} with a browser's cookie needs an Origin header"
        raise ProblemError(Code.ORIGIN_NOT_ALLOWED, detail)
