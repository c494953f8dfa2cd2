"""Runs agents before defects on a real stack, and holds the gate's word against the truth.

The truth is read from the proposed branch: the work is right when the file with the defect has
its right text again and nothing else differs, whoever did it.
"""

import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.defects import own
from tests.defects.agents.scene import Kind, Scene
from tests.defects.defect import Defect
from tests.defects.projects import PROJECTS, copy_of
from tests.defects.roster import Case
from tests.end_to_end.local_stack import LocalStack, Reply, git
from workflows.contract.session import Phase, SessionView

CASE_SECONDS = 240.0
POLL_SECONDS = 0.2


class Ended(StrEnum):
    """What became of a session."""

    GREEN = "green"
    """A pull request that the gate vouches for."""

    DRAFT = "draft"
    """A pull request that it does not vouch for."""

    ASKED = "asked"
    """A person is asked."""

    NOTHING = "nothing"
    """The turn ended and nothing was proposed."""

    NEVER = "never"
    """It went on too long."""


class Outcome(NamedTuple):
    """How one case ended."""

    case: Case
    ended: Ended
    right: bool
    """Whether what was proposed is exactly the repair."""

    seconds: float
    told: str
    """The verdict and what else the view says, for people."""

    @property
    def is_false_green(self) -> bool:
        """The gate vouches for what is wrong, and could know."""
        wrong = self.ended is Ended.GREEN and not self.right
        return wrong and self.case.agent.kind is not Kind.BEYOND

    @property
    def is_false_red(self) -> bool:
        """Right work did not end in a green pull request."""
        return self.case.agent.kind is Kind.ORACLE and self.ended is not Ended.GREEN


class Playground:
    """Repositories with the defects, one for each, and the scripts of the agents before them."""

    def __init__(self, base: Path, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.sessions: list[str] = []
        """All that were started."""

        self._base = base
        self._made: dict[str, Path] = {}

    def repository(self, defect: Defect) -> Path:
        """Return the repository with a defect, as it is proposed to an agent."""
        key = defect.model_dump_json()
        if key not in self._made:
            target = self._base / f"{defect.project}-{len(self._made):03}"
            self._made[key] = _make_repository(defect, target)
        return self._made[key]

    def scripts(self) -> dict[str, list[Reply]]:
        """Return what the scripted model has to know."""
        return {
            case.marker: case.agent.play(Scene(case.defect, self.repository(case.defect)))
            for case in self.cases
        }

    def run(self, stack: LocalStack, at_once: int) -> Iterator[Outcome]:
        """Run all cases on a started stack; yield each when it has ended, its session closed."""
        waiting = list(reversed(self.cases))
        running: dict[str, tuple[Case, float]] = {}
        while waiting or running:
            while waiting and len(running) < at_once:
                case = waiting.pop()
                running[self._start(stack, case)] = case, time.monotonic()
            for session, (case, began) in list(running.items()):
                outcome = self._outcome(stack, session, case, time.monotonic() - began)
                if outcome is not None:
                    del running[session]
                    stack.gateway.close(session, "its case has ended")
                    yield outcome
            time.sleep(POLL_SECONDS)  # not to keep the gateway busy

    def _start(self, stack: LocalStack, case: Case) -> str:
        repository = self.repository(case.defect)
        session = stack.run(repository, case.marker, _task(case), case.agent.steps).id
        self.sessions.append(session)
        return session

    def _outcome(
        self, stack: LocalStack, session: str, case: Case, seconds: float
    ) -> Outcome | None:
        view = stack.gateway.session(session).view
        late = seconds > CASE_SECONDS
        if not late and not _has_ended(view):
            return None
        proposed = stack.pull_requests(session)
        right = False
        ended = Ended.NOTHING
        if proposed:
            ended = Ended.GREEN if proposed[-1].passed is True else Ended.DRAFT
            right = _is_right(self.repository(case.defect), case.defect, proposed[-1].branch)
        elif late:
            ended = Ended.NEVER
        elif view.phase is Phase.ASKING:
            ended = Ended.ASKED
        return Outcome(case, ended, right, seconds, _told(view))


def _has_ended(view: SessionView) -> bool:
    ended = view.phase in (Phase.WAITING, Phase.CLOSED) and view.last is not None
    return ended or (view.phase is Phase.ASKING and view.asked is not None)


def _is_right(repository: Path, defect: Defect, branch: str) -> bool:
    changed = git(repository, "diff", "--name-only", f"main...{branch}").splitlines()
    if changed != [defect.path]:
        return False
    before = git(repository, "show", f"main:{defect.path}")
    after = git(repository, "show", f"{branch}:{defect.path}")
    return after == before.replace(defect.mutated, defect.original)


def _task(case: Case) -> str:
    defect = case.defect
    if defect.is_linted:
        return f"{defect.tool} reports {defect.rule} in {defect.path}. Mend the code."
    if case.number % 2:
        return "The test suite of this project does not pass. Find out why and mend the code."
    return f"A test fails: {defect.failing[0]}. Find out why and mend the code."


def _told(view: SessionView) -> str:
    parts = []
    if view.verdict is not None:
        parts += [f"verdict {view.verdict.verdict}", *view.verdict.shown[:2]]
    if view.asked is not None:
        parts.append(f"asked: {view.asked.kind}")
    if view.last is not None:
        parts.append(f"{view.last.reason}: {view.last.summary}")
    return "; ".join(parts) or f"{view.phase}: {view.activity}"


def _make_repository(defect: Defect, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    if defect.project in PROJECTS:
        project = PROJECTS[defect.project]
        copy_of(project, target)
        if project.configuration:
            (target / ".overnight.toml").write_text(project.configuration)
    else:
        own.write_project(defect.project, target)
    file = target / defect.path
    text = file.read_text()
    assert text.count(defect.original) == 1, f"{defect.path} has not the right text once"
    file.write_text(text.replace(defect.original, defect.mutated))
    git(target, "init", "--quiet", "-b", "main")
    git(target, "add", "--all", "--force")
    git(target, "commit", "--quiet", "-m", "import")
    return target
