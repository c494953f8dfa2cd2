"""Events as lines."""

from datetime import UTC
from typing import get_args

import pytest
from click import unstyle

from cli.screen import events as showing
from tests.cli.happenings import event, finished, started
from tests.cli.sessions import SESSION, pull_request
from workflows.contract import events
from workflows.contract.base import CommandId, CommitSha, EffectId, PromptId
from workflows.contract.checks import CheckSpec
from workflows.contract.events import Happened
from workflows.contract.model import Usage
from workflows.contract.pull_request import PullRequest
from workflows.contract.sandbox import CommandOutcome, Opened, Repository
from workflows.contract.session import Budget, Phase, PromptMode, SessionView
from workflows.contract.transcript import RefusedCall, ToolName

HOSTILE = "x\x1b[2J\ny"
TAME = f"x{chr(0xFFFD)}[2J y"
SHA = CommitSha("c" * 40)
VIEW = SessionView(phase=Phase.WORKING, run_index=0, turn=1, step=1, queued=0, usage=Usage())

CASES: list[tuple[Happened, list[str]]] = [
    (
        events.Opening(
            kind="session.reopened",
            repository=Repository(url="/repo", base="main"),
            branch="overnight/s",
            model="m",
            title=HOSTILE,
            budget=Budget(),
        ),
        [f"session opened again: {TAME}", "overnight/s of /repo, m"],
    ),
    (
        events.PromptArrived(
            prompt_id=PromptId("p"), mode=PromptMode.STEER, size=3, excerpt=HOSTILE
        ),
        [f"prompt (steer): {TAME}"],
    ),
    (events.StopRequested(kind="close.requested", reason=HOSTILE), [f"asked to close: {TAME}"]),
    (events.ViewChanged(view=VIEW), []),
    (events.StepAsked(turn=1, step=2, model="m"), ["step 2: asking m"]),
    (
        events.StepTaken(
            turn=1,
            step=2,
            text="said elsewhere",
            calls=(
                events.SeenCall(name=ToolName.BASH, summary="is shown when it starts"),
                events.SeenCall(name=ToolName.EDIT, summary=HOSTILE),
            ),
            refused=(RefusedCall(id="1", name="fly", reason=HOSTILE),),
            usage=Usage(),
            seconds=2,
        ),
        ["step 2: replied in 2.0s", f"edit: {TAME}", f"refused fly: {TAME}"],
    ),
    (started("c1", HOSTILE), [f"$ {TAME}  [c1]"]),
    (finished("c1", b"", 3), ["exit 3 after 1.5s"]),
    (
        events.FileUsed(turn=1, step=1, effect_id=EffectId("e"), ok=False, excerpt=HOSTILE),
        [f"refused: {TAME}"],
    ),
    (events.SandboxOpening(generation=2), ["opening sandbox 2"]),
    (
        events.SandboxOpened(
            generation=0,
            how=Opened.CREATED,
            provider="bubblewrap",
            base_commit=SHA,
            setup="cached",
            seconds=0.5,
        ),
        ["sandbox new (bubblewrap, set-up cached) in 0.5s"],
    ),
    (events.SandboxClosed(), ["sandbox closed"]),
    (
        events.ChecksFound(checks=(CheckSpec(name="tests", command="x"),), source=HOSTILE),
        [f"checks: tests ({TAME})"],
    ),
    (
        events.CheckStarted(turn=1, name="tests", command_id=CommandId("k"), shell=HOSTILE),
        [f"check tests: $ {TAME}  [k]"],
    ),
    (
        events.CheckFinished(
            turn=1,
            name="tests",
            command_id=CommandId("k"),
            passed=False,
            outcome=CommandOutcome.OUTPUT_LIMIT,
            exit_code=None,
            seconds=61,
            output_end=0,
        ),
        ["check tests failed, output limit after 1m01s"],
    ),
    (
        events.WorkExported(tip=SHA, changed=False),
        ["work taken out of the sandbox: nothing has changed"],
    ),
    (
        events.WorkFailed(activity="model.step", failure="f", message=HOSTILE),
        ["model.step failed (f)", TAME],
    ),
    (events.SessionEnded(kind="session.broken", reason=HOSTILE), [f"session broke: {TAME}"]),
]


@pytest.mark.parametrize(("happened", "shown"), CASES)
def test_an_event_is_told_in_a_few_inert_lines(happened: Happened, shown: list[str]):
    """Each kind of event has its words; nothing that a model or a repository wrote acts."""
    first, *more = shown or [""]
    expected = [f"03:04:05  {first}", *(f"          {line}" for line in more)] if shown else []
    assert [unstyle(line) for line in showing.lines(event(1, happened), UTC)] == expected


def test_a_proposal_is_shown_whole():
    """A pull request is told with its files and how to merge it."""
    proposal = PullRequest.model_validate(pull_request())
    lines = showing.lines(event(1, events.PullRequestProposed(pull_request=proposal)), UTC)
    assert any(f"git merge overnight/{SESSION}" in line for line in lines)


def test_every_kind_of_event_is_shown():
    """No event that may happen is forgotten here."""
    kinds = get_args(get_args(Happened)[0])
    assert {type(happened) for happened, _ in CASES} | {events.PullRequestProposed} == set(kinds)
