"""The gateway as any client sees it, on one kept connection, so that only the gateway is timed."""

import http.client
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from workflows.contract.api import CreateSession, PromptBody, SessionResource, StopSession
from workflows.contract.base import PromptId
from workflows.contract.events import Cursor, EventPage
from workflows.contract.sandbox import Repository
from workflows.contract.session import Budget, Phase, SessionView

PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.25
"""Asking more often would slow down what is measured: the gateway asks Temporal each time."""


class Api:
    """The few requests that measurements make."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def create(self, repository: Path, marker: str) -> SessionResource:
        """Start a session whose model follows the script `marker`."""
        body = CreateSession(
            prompt=prompt(marker),
            repository=Repository(url=str(repository), base="main"),
            budget=Budget(steps=1_000),
        )
        return SessionResource.model_validate_json(
            self._send("POST", "/sessions", body.model_dump_json())
        )

    def prompt(self, session: str, marker: str) -> None:
        """Send a follow-up."""
        self._send("POST", f"/sessions/{session}/prompts", prompt(marker).model_dump_json())

    def until_waiting(self, session: str, turns: int) -> None:
        """Return when the session has ended so many turns and waits."""

        def waits(view: SessionView) -> bool:
            ended = view.last.turn if view.last is not None else 0
            return view.phase is Phase.WAITING and ended >= turns

        self._until(session, waits, f"ends turn {turns}")

    def until_closed(self, session: str) -> None:
        """Return when the session is closed and its sandbox gone."""
        self._until(session, lambda view: view.phase is Phase.CLOSED, "is closed")

    def close(self, session: str) -> None:
        """Close a session."""
        self._send("POST", f"/sessions/{session}/close", StopSession().model_dump_json())

    def events(self, session: str, limit: int, before: Cursor | None) -> EventPage:
        """Return the newest events, or the last ones before a cursor."""
        place = f"&before={before}" if before is not None else ""
        return EventPage.model_validate_json(
            self._send("GET", f"/sessions/{session}/events?limit={limit}{place}")
        )

    def _until(self, session: str, holds: Callable[[SessionView], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self._send("GET", f"/sessions/{session}")
            if holds(SessionResource.model_validate_json(found).view):
                return
            time.sleep(POLL_SECONDS)
        message = f"waited {PATIENCE_SECONDS:.0f} s in vain until session {session} {what}"
        raise TimeoutError(message)

    def _send(self, method: str, path: str, body: str | None = None) -> bytes:
        self._connection.request(method, f"/api/v1{path}", body, self._headers)
        response = self._connection.getresponse()
        data = response.read()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            message = f"{method} {path} was answered with {response.status}: {data[:500]!r}"
            raise RuntimeError(message)
        return data


def prompt(marker: str) -> PromptBody:
    """Make a prompt that no session has seen."""
    return PromptBody(id=PromptId(str(uuid.uuid4())), text=f"Follow the script {marker}.")
