"""One session of the demo: started through the gateway, followed to its end or question, closed."""

import time
import uuid
from typing import NamedTuple

import typer

from cli import questions
from cli.client import Gateway
from cli.demo.playground import BASE, Playground
from cli.demo.scenario import TASK
from cli.terminal import inert_line, say
from workflows.contract.api import CreateSession, PromptBody, SessionResource
from workflows.contract.asking import Asked
from workflows.contract.base import PromptId
from workflows.contract.findings import FindingCounts
from workflows.contract.judging import Verdict, VerdictGiven
from workflows.contract.sandbox import Repository
from workflows.contract.session import Budget, Phase, SessionView

BUDGET = Budget(steps=40, minutes=15)
"""Far more than the task takes; keeps a real model from running up costs."""

POLL_SECONDS = 0.03
"""Short, so that a look at a file is not over between two glances."""

PATIENT_SECONDS = 2.0
"""Waiting for the model is announced when it lasts longer."""

CLOSE_SECONDS = 30.0
ASKING = "asking the model"
VERDICT = "verdict: "
ACTIVITY_CHARACTERS = 72
SHOWN_FINDINGS = 4


class Ended(NamedTuple):
    """A session whose turn has ended, or that waits for a person."""

    session: SessionResource
    verdicts: tuple[VerdictGiven, ...]
    """All that the gate said, oldest first."""

    first_reply_seconds: float | None
    """From the prompt to the first reply of the model; none if there was none."""

    seconds: float


def start(gateway: Gateway, playground: Playground) -> SessionResource:
    """Start a session on the demo's task."""
    prompt = PromptBody(id=PromptId(str(uuid.uuid4())), text=TASK)
    repository = Repository(url=str(playground.repository), base=BASE)
    return gateway.create(CreateSession(prompt=prompt, repository=repository, budget=BUDGET))


def follow(gateway: Gateway, session: str) -> Ended:
    """Show what the session does until its turn has ended or a person is needed."""
    watch = _Watch()
    while True:
        found = gateway.session(session)
        watch.look(found, time.monotonic())
        view = found.view
        if view.last is not None or view.asked is not None or view.phase is Phase.CLOSED:
            return watch.ended(found)
        time.sleep(POLL_SECONDS)


def reject(gateway: Gateway, session: str, asked: Asked, reason: str) -> SessionResource:
    """Refuse what the session asks and return it when its turn has ended."""
    gateway.decide(session, questions.rejection(asked, reason))
    deadline = time.monotonic() + CLOSE_SECONDS
    while (found := gateway.session(session)).view.last is None:
        if time.monotonic() > deadline:
            say(f"session {session} did not end within {CLOSE_SECONDS:.0f} seconds")
            break
        time.sleep(POLL_SECONDS)
    return found


def close(gateway: Gateway, session: str) -> None:
    """End the session and wait until its sandbox is gone."""
    gateway.close(session, "end of the demo")
    deadline = time.monotonic() + CLOSE_SECONDS
    while gateway.session(session).view.phase is not Phase.CLOSED:
        if time.monotonic() > deadline:
            say(f"session {session} did not close within {CLOSE_SECONDS:.0f} seconds")
            return
        time.sleep(POLL_SECONDS)


class _Watch:
    """What was seen of a session and what was said of it."""

    def __init__(self) -> None:
        self._began = self._changed = time.monotonic()
        self._first_reply: float | None = None
        self._seen = self._shown = self._trouble = ""
        self._verdicts: list[VerdictGiven] = []

    def look(self, found: SessionResource, now: float) -> None:
        """Say what is new."""
        view = found.view
        if view.usage.requests and self._first_reply is None:
            self._first_reply = now - self._began
        if view.verdict is not None and view.verdict not in self._verdicts[-1:]:
            self._verdicts.append(view.verdict)
            self._say_verdict(view.verdict, now)
        self._say_line(view, now)
        if found.trouble != self._trouble:
            self._trouble = found.trouble
            if self._trouble:
                say(f"           {inert_line(self._trouble, 500)}")

    def _say_line(self, view: SessionView, now: float) -> None:
        line = _line(view)
        if view.activity.startswith(VERDICT):
            return  # said in full already
        if line != self._seen:
            self._seen, self._changed = line, now
        is_asking = view.activity == ASKING
        if line != self._shown and (not is_asking or now - self._changed > PATIENT_SECONDS):
            self._shown = line
            say(f"  {self._changed - self._began:5.1f} s  {line}")

    def _say_verdict(self, given: VerdictGiven, now: float) -> None:
        say(f"  {now - self._began:5.1f} s  {judged(given)}")
        for line in given.shown[:SHOWN_FINDINGS] if given.verdict is Verdict.RED else ():
            say(f"{'':21}{inert_line(line, 160)}")

    def ended(self, found: SessionResource) -> Ended:
        """Return what was seen."""
        seconds = time.monotonic() - self._began
        return Ended(found, tuple(self._verdicts), self._first_reply, seconds)


def judged(given: VerdictGiven) -> str:
    """Return what the gate says of the work, as one line."""
    if given.verdict is Verdict.GREEN:
        word = typer.style("green", fg="green", bold=True)
        return f"checks: all {given.tests.passed} tests pass → {word}"
    if given.verdict is Verdict.RED:
        word = typer.style("refused", fg="red", bold=True)
        return f"checks: {_counted(given.counts) or inert_line(given.why)} → {word}"
    return f"checks: {given.verdict.value.replace('_', ' ')}, {inert_line(given.why)}"


def _counted(counts: FindingCounts) -> str:
    each = counts.model_dump(exclude={"pre_existing"}).items()
    return ", ".join(f"{count} {name}" for name, count in each if count)


def _line(view: SessionView) -> str:
    if view.phase in (Phase.WAITING, Phase.CLOSED):
        return "ended"
    if view.asked is not None:
        return "needs you"
    place = f"step {view.step}" if view.step and view.phase is Phase.WORKING else view.phase.value
    return f"{place:<10} {inert_line(view.activity, ACTIVITY_CHARACTERS)}".rstrip()
