"""The gateway's REST interface with types, for the commands.

Requests carry ids made here, so that repeating one is harmless.
"""

import re
from collections.abc import Iterator
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from cli.problems import CliProblem
from cli.stream.session import SessionStream
from cli.transport import SESSION_ID, Endpoint, Transport
from workflows.contract.api import (
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
from workflows.contract.findings import FindingReport
from workflows.contract.problems import Code
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import Phase, PromptsWaiting
from workflows.contract.socket import Subscribe, Ticket

PAGE_SIZE = 200

Answer = TypeVar("Answer", bound=BaseModel)


class Gateway:
    """The REST interface with types; every method raises `CliProblem` when it is refused."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def endpoint(self) -> Endpoint:
        """Where it is, and how it is reached."""
        return self._transport.endpoint

    def create(self, body: CreateSession) -> SessionResource:
        """Start a session; the same body again returns the same session."""
        return self._post("/sessions", body, SessionResource)

    def sessions(self) -> Iterator[SessionResource]:
        """List all sessions, newest first."""
        return self._pages({})

    def open_sessions(self) -> list[SessionResource]:
        """List the sessions that are not closed, newest first; not slowed by closed ones."""
        # One that changes its phase between two questions is answered twice.
        found = {
            session.id: session
            for phase in Phase
            if phase is not Phase.CLOSED
            for session in self._pages({"phase": phase.value})
        }
        return sorted(found.values(), key=lambda session: session.created_at, reverse=True)

    def _pages(self, chosen: dict[str, str]) -> Iterator[SessionResource]:
        cursor: str | None = None
        while True:
            query = {**chosen, "limit": str(PAGE_SIZE)}
            query |= {"cursor": cursor} if cursor else {}
            page = _parsed(self._transport.send("GET", "/sessions", query=query), SessionList)
            yield from page.data
            cursor = page.next_cursor
            if not page.has_more or cursor is None:
                return

    def session(self, session: str) -> SessionResource:
        """Read one session."""
        return _parsed(self._transport.send("GET", f"/sessions/{session}"), SessionResource)

    def stream(self, session: str, wanted: Subscribe) -> SessionStream:
        """Follow a session live; nothing is received before its items are asked for."""
        return SessionStream(self._transport.endpoint, session, wanted)

    def prompt(self, session: str, body: PromptBody) -> PromptAccepted:
        """Send a follow-up."""
        return self._post(f"/sessions/{session}/prompts", body, PromptAccepted)

    def question(self, session: str) -> OpenQuestion:
        """Read what the session asks, with all that the answer is about."""
        return _parsed(self._transport.send("GET", f"/sessions/{session}/question"), OpenQuestion)

    def question_diff(self, session: str, question: str) -> bytes:
        """Read the whole diff of exactly the files that this question is about."""
        query = {"question": question}
        path = f"/sessions/{session}/question/diff"
        return self._transport.send("GET", path, query=query).content

    def judged_diff(self, session: str) -> bytes:
        """Read the whole diff of the work that was judged last, proposed or not."""
        return self._transport.send("GET", f"/sessions/{session}/diff").content

    def findings(self, session: str) -> FindingReport:
        """Read all that blocks the work that was judged last."""
        return _parsed(self._transport.send("GET", f"/sessions/{session}/findings"), FindingReport)

    def decide(self, session: str, body: Decision) -> DecisionTaken:
        """Answer what the session asks; an answer fits one question only."""
        return self._post(f"/sessions/{session}/decisions", body, DecisionTaken)

    def configure(self, session: str, body: Configure) -> SessionResource:
        """Change model or budget; shows the session as it was just before."""
        changed = self._transport.send(
            "PATCH", f"/sessions/{session}", body=body.model_dump_json(exclude_none=True)
        )
        return _parsed(changed, SessionResource)

    def prompts(self, session: str) -> PromptList:
        """List the prompts that wait."""
        return _parsed(self._transport.send("GET", f"/sessions/{session}/prompts"), PromptList)

    def revise(self, session: str, prompt: str, body: PromptBody) -> PromptsWaiting:
        """Put another prompt into the place of one that waits."""
        path = f"/sessions/{session}/prompts/{prompt}"
        changed = self._transport.send("PUT", path, body=body.model_dump_json())
        return _parsed(changed, PromptsWaiting)

    def withdraw(self, session: str, prompt: str) -> PromptsWaiting:
        """Take back a prompt that waits."""
        path = f"/sessions/{session}/prompts/{prompt}"
        return _parsed(self._transport.send("DELETE", path), PromptsWaiting)

    def reopen(self, session: str, body: ReopenSession) -> SessionResource:
        """Go on with a closed session."""
        return self._post(f"/sessions/{session}/reopen", body, SessionResource)

    def interrupt(self, session: str, reason: str) -> SessionResource:
        """Stop what runs; shows the session as it was just before.

        Not repeated after a doubt, lest it stops the next turn too.
        """
        body = StopSession(reason=reason).model_dump_json()
        path = f"/sessions/{session}/interrupt"
        return _parsed(self._transport.send("POST", path, body=body, once=True), SessionResource)

    def close(self, session: str, reason: str) -> None:
        """Stop what runs and end the session."""
        body = StopSession(reason=reason).model_dump_json()
        self._transport.send("POST", f"/sessions/{session}/close", body=body)

    def pull_request(self, session: str) -> PullRequest:
        """Read the newest revision of the session's proposal."""
        return _parsed(
            self._transport.send("GET", f"/sessions/{session}/pull-request"), PullRequest
        )

    def proposed_diff(self, session: str) -> bytes:
        """Read the whole diff of the proposal, as git prints it."""
        return self._transport.send("GET", f"/sessions/{session}/pull-request/diff").content

    def sign_in_link(self, path: str) -> tuple[str, int]:
        """Return a link that signs one browser in, once, and how many seconds it is good for."""
        answer = self._transport.send("POST", "/browser/tickets", body="{}")
        ticket = _parsed(answer, Ticket)
        # In the fragment: a browser sends it to nobody, so no server and no proxy logs it.
        link = f"{self._transport.endpoint.url.rstrip('/')}{path}#ticket={ticket.ticket}"
        return link, ticket.expires_in_seconds

    def find(self, text: str) -> str:
        """Return the id of the one session whose id begins with `text`.

        A whole id is taken for what it is: what is then asked of an unknown one is refused.
        """
        if re.fullmatch(SESSION_ID, text):
            return text
        if not text.replace("-", "").replace("_", "").isalnum():
            raise _unknown_session(text)
        matches: set[str] = set()
        for session in self.sessions():
            if session.id.startswith(text):
                matches.add(session.id)
        if len(matches) == 1:
            return matches.pop()
        if not matches:
            raise _unknown_session(text)
        shown = ", ".join(sorted(matches)[:5])
        raise CliProblem(
            Code.SESSION_AMBIGUOUS,
            f"{len(matches)} sessions begin with {text!r}: {shown}",
        )

    def _post(self, path: str, body: BaseModel, answer: type[Answer]) -> Answer:
        return _parsed(self._transport.send("POST", path, body=body.model_dump_json()), answer)


def _parsed(response: httpx2.Response, answer: type[Answer]) -> Answer:
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as error:
        raise CliProblem(
            Code.ANSWER_NOT_UNDERSTOOD,
            f"the gateway's answer to {response.request.url.path} is no {answer.__name__}",
        ) from error


def _unknown_session(text: str) -> CliProblem:
    return CliProblem(
        Code.SESSION_UNKNOWN,
        f"no session begins with {text!r}",
    )
