"""One session of the demo: started through the gateway, followed, shown and closed."""

import time
import uuid
from typing import NamedTuple

import typer

from cli import show
from cli.client import Gateway
from cli.demo.playground import BASE, Playground
from cli.demo.scenario import TASK
from cli.terminal import inert_line, result, say
from workflows.contract.api import CreateSession, PromptBody, SessionResource
from workflows.contract.base import PromptId
from workflows.contract.pull_request import PullRequest
from workflows.contract.sandbox import Repository
from workflows.contract.session import Budget, Phase, SessionView, StopReason

BUDGET = Budget(steps=40, minutes=15)
"""Far more than the task takes; keeps a real model from running up costs."""

POLL_SECONDS = 0.03
"""Short, so that a look at a file is not over between two glances."""

PATIENT_SECONDS = 2.0
"""Waiting for the model is announced when it lasts longer."""

CLOSE_SECONDS = 30.0
ASKING = "asking the model"


class Ended(NamedTuple):
    """A session whose turn has ended."""

    session: SessionResource
    first_reply_seconds: float | None
    """From the prompt to the first reply of the model; none if there was none."""

    seconds: float


def start(gateway: Gateway, playground: Playground) -> SessionResource:
    """Start a session on the demo's task."""
    prompt = PromptBody(id=PromptId(str(uuid.uuid4())), text=TASK)
    repository = Repository(url=str(playground.repository), base=BASE)
    return gateway.create(CreateSession(prompt=prompt, repository=repository, budget=BUDGET))


def follow(gateway: Gateway, session: str) -> Ended:
    """Show what the session does until its turn has ended."""
    began = changed = time.monotonic()
    first_reply: float | None = None
    seen = shown = trouble = ""
    while True:
        found = gateway.session(session)
        now = time.monotonic()
        line = _line(found.view)
        if line != seen:
            seen, changed = line, now
        asking = found.view.activity == ASKING
        if found.view.usage.requests and first_reply is None:
            first_reply = now - began
        if line != shown and (not asking or now - changed > PATIENT_SECONDS):
            shown = line
            say(f"  {changed - began:5.1f} s  {line}")
        if found.trouble != trouble:
            trouble = found.trouble
            if trouble:
                say(f"           {inert_line(trouble, 500)}")
        if found.view.last is not None or found.view.phase is Phase.CLOSED:
            return Ended(found, first_reply, now - began)
        time.sleep(POLL_SECONDS)


def conclude(gateway: Gateway, playground: Playground, ended: Ended) -> bool:
    """Show the diff, the pull request and its tests; true when they are as they should be."""
    view = ended.session.view
    finished = view.last is not None and view.last.reason is StopReason.FINISHED
    if view.last is not None and not finished:
        summary = inert_line(view.last.summary, 300)
        say(f"\nThe session ended with {view.last.reason.value}: {summary}")
    if view.pull_request is None:
        say("\nThe session proposed nothing.")
        return False
    proposal = gateway.pull_request(ended.session.id)
    _heading(f"Diff: git diff {BASE}...{proposal.branch}")
    result(playground.diff(proposal.branch).rstrip("\n"))
    _heading("Pull request")
    result(show.pull_request(proposal))
    result(f"tests    {_test_result(proposal)}")
    return finished and proposal.passed is True


def close(gateway: Gateway, session: str) -> None:
    """End the session and wait until its sandbox is gone."""
    gateway.close(session, "end of the demo")
    deadline = time.monotonic() + CLOSE_SECONDS
    while gateway.session(session).view.phase is not Phase.CLOSED:
        if time.monotonic() > deadline:
            say(f"session {session} did not close within {CLOSE_SECONDS:.0f} seconds")
            return
        time.sleep(POLL_SECONDS)


def _line(view: SessionView) -> str:
    if view.phase in (Phase.WAITING, Phase.CLOSED):
        return "ended"
    place = f"step {view.step}" if view.step and view.phase is Phase.WORKING else view.phase.value
    return f"{place:<10} {inert_line(view.activity, 100)}".rstrip()


def _test_result(proposal: PullRequest) -> str:
    lines = [line for check in proposal.checks for line in check.excerpt.splitlines()[-1:]]
    return inert_line("; ".join(lines)) or "the repository has no checks"


def _heading(text: str) -> None:
    result(f"\n{typer.style(text, bold=True)}\n")
