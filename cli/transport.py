"""Carries requests to the gateway and waits out its restarts; knows no session."""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx2

from cli.problems import CliProblem
from cli.terminal import say
from workflows.contract.explanations.table import explain, known
from workflows.contract.problems import Code

PATIENCE_SECONDS = 30.0
"""A request is repeated for so long in all."""

REQUEST_SECONDS = 20.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
SILENT_SECONDS = 1.0
"""A longer wait is announced."""

_CODES = {
    401: Code.UNAUTHENTICATED,
    403: Code.UNAUTHENTICATED,
    404: Code.NOT_FOUND,
    502: Code.GATEWAY_UNREACHABLE,
    503: Code.GATEWAY_UNREACHABLE,
    504: Code.GATEWAY_UNREACHABLE,
}
"""What an answer comes to that names no code of ours, as of a proxy; else it is not understood."""

SESSION_ID = r"s-[0-9a-f]{20}"

_SESSION = re.compile(rf"/sessions/({SESSION_ID})(?:/|$)")


class _Refusal(NamedTuple):
    problem: CliProblem
    repeatable: bool
    asked_wait: float | None = None
    """Seconds that the gateway asks to wait for."""


class Endpoint(NamedTuple):
    """Where a gateway is, and how it is reached."""

    url: str
    token: str
    local: bool
    """Whether it belongs to the local stack."""

    may_return: Callable[[], bool]
    """Whether one that does not answer may do so later."""

    def unreachable(self, why: str) -> CliProblem:
        """Return the error of a gateway that does not answer."""
        return CliProblem(
            Code.GATEWAY_UNREACHABLE,
            f"the gateway at {self.url} does not answer: {why}",
            "start the local stack: overnight up" if self.local else "check OVERNIGHT_URL",
        )


class Transport:
    """An HTTP connection to one gateway.

    Connection errors and 503 are waited out for `PATIENCE_SECONDS`, unless `may_return` says that
    the gateway is gone for good. `local` names a gateway of the local stack.
    """

    def __init__(
        self, url: str, token: str, *, local: bool, may_return: Callable[[], bool]
    ) -> None:
        self.endpoint = Endpoint(url, token, local, may_return)
        self._http = httpx2.Client(
            base_url=url.rstrip("/") + "/api/v1",
            headers={"authorization": f"Bearer {token}"},
            timeout=REQUEST_SECONDS,
            # A person's proxy does not lead to the loopback interface.
            trust_env=not local,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: str | None = None,
        once: bool = False,
    ) -> httpx2.Response:
        """Return the answer to a request; `once` for what must not be repeated in doubt.

        Raises:
            CliProblem: it was refused, or the patience is spent.
        """
        started = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        announced = False
        while True:
            answer = self._attempt(method, path, query=query, body=body, once=once)
            if isinstance(answer, httpx2.Response):
                return answer
            waited = time.monotonic() - started
            wait = answer.asked_wait or pause
            spent = waited + wait > PATIENCE_SECONDS
            if not answer.repeatable or spent or not self.endpoint.may_return():
                raise answer.problem
            if waited > SILENT_SECONDS and not announced:
                announced = True
                say(waiting_for(self.endpoint.url))
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _attempt(
        self, method: str, path: str, *, query: dict[str, str] | None, body: str | None, once: bool
    ) -> "httpx2.Response | _Refusal":
        headers = {"content-type": "application/json"} if body is not None else {}
        try:
            response = self._http.request(method, path, params=query, content=body, headers=headers)
        except httpx2.TransportError as error:
            never_arrived = isinstance(error, httpx2.ConnectError)
            why = str(error) or type(error).__name__
            return _Refusal(self.endpoint.unreachable(why), repeatable=never_arrived or not once)
        if response.is_success:
            return response
        problem = _problem_of(response)
        in_doubt = problem.code is Code.OUTCOME_UNKNOWN
        busy = response.status_code == httpx2.codes.SERVICE_UNAVAILABLE
        return _Refusal(problem, busy and not (once and in_doubt), _asked_wait(response))


def waiting_for(url: str) -> str:
    """Return what is said once a gateway is away for longer than a moment."""
    return f"waiting for the gateway at {url} …"


def _problem_of(response: httpx2.Response) -> CliProblem:
    try:
        fields = response.json()
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        fields = {}
    status = response.status_code
    named = str(fields.get("code") or "")
    code = known(named) or _CODES.get(status, Code.ANSWER_NOT_UNDERSTOOD)
    detail = str(fields.get("detail") or f"the gateway answered with {status}")
    errors = fields.get("errors")
    if isinstance(errors, list) and errors:
        detail += "".join(f"\n  {error}" for error in errors)
    title = str(fields.get("title") or "")
    if not _words(title) <= _words(detail):
        detail = f"{title[0].lower()}{title[1:]}: {detail}"
    said = str(fields.get("hint") or "")
    if code != named:
        return CliProblem(code, f"{detail} ({named})" if named else detail, said)
    # People type commands, where the gateway names its requests to programs.
    found = _SESSION.search(response.request.url.path)
    session = found.group(1) if found else "SESSION"
    return CliProblem(code, detail, "" if explain(code).typed else said, session=session)


def _words(text: str) -> set[str]:
    """Return what a text says, without what most say."""
    return set(re.findall(r"\w+", text.lower())) - {"the", "a", "an"}


def _asked_wait(response: httpx2.Response) -> float | None:
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else None
