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
from workflows.contract.findings import FindingCounts, TestCounts
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
            runnable=True,
            findings=0,
            tests=None,
            outcome=CommandOutcome.OUTPUT_LIMIT,
            exit_code=None,
            seconds=61,
            output_end=0,
        ),
        ["check tests failed, output limit after 1m01s"],
    ),
    (
        events.CheckFinished(
            turn=1,
            name="lint",
            command_id=CommandId("k"),
            passed=False,
            runnable=False,
            findings=1,
            tests=None,
            outcome=CommandOutcome.EXITED,
            exit_code=127,
            seconds=1,
            output_end=0,
        ),
        ["check lint could not be run, exit 127 after 1.0s: 1 finding"],
    ),
    (
        events.CheckFinished(
            turn=1,
            name="tests",
            command_id=CommandId("k"),
            passed=False,
            runnable=True,
            findings=2,
            tests=TestCounts(passed=5, failed=2),
            outcome=CommandOutcome.EXITED,
            exit_code=1,
            seconds=1,
            output_end=0,
        ),
        ["check tests failed, exit 1 after 1.0s: 5 tests passed, 2 failed"],
    ),
    (events.BaselineStarted(commit=SHA), ["checking what was there before, at cccccccccccc"]),
    (
        events.BaselineReady(commit=SHA, checks=("tests failed",), cached=False, seconds=3),
        ["before the work (found in 3.0s): tests failed"],
    ),
    (
        events.BaselineReady(commit=SHA, checks=(), cached=True, seconds=0),
        ["before the work (known already): no checks"],
    ),
    (
        events.QuickChecked(turn=1, step=2, findings=1, shown=(HOSTILE,), seconds=0.5),
        ["quick check of the edit: 1 finding in 0.5s", TAME],
    ),
    (
        events.FilesMended(turn=1, files=(HOSTILE, "b.py")),
        [f"mended by the checks' own fixers: {TAME}, b.py"],
    ),
    (
        events.WorkJudged(
            turn=1,
            round=2,
            counts=FindingCounts(new=1, pre_existing=2),
            tests=TestCounts(passed=4, failed=1),
            tests_at_base=TestCounts(passed=5),
            unrunnable=("lint",),
            shown=(HOSTILE,),
        ),
        [
            "work judged, round 2: 1 new, 2 pre existing; tests 4 passed, 1 failed (before: 5, 0)",
            "could not be run: lint",
            TAME,
        ],
    ),
    (
        events.TranscriptCompacted(turn=1, step=3, messages_before=90, messages=7, usage=Usage()),
        ["the transcript was summed up: 90 → 7 messages"],
    ),
    (
        events.PromptRevised(prompt_id=PromptId("p"), replacement=PromptId("q"), excerpt=HOSTILE),
        [f"waiting prompt replaced: {TAME}"],
    ),
    (events.PromptWithdrawn(prompt_id=PromptId("p")), ["waiting prompt taken back: p"]),
    (
        events.DecisionMade(question="0" * 16, approved=True, text=HOSTILE),
        [f"a person answered: {TAME}"],
    ),
    (events.DecisionMade(question="0" * 16, approved=True, text=""), ["a person allowed it"]),
    (
        events.DecisionMade(question="0" * 16, approved=False, text=HOSTILE),
        [f"a person refused it: {TAME}"],
    ),
    (
        events.PromptRefused(prompt_id=PromptId("p"), reason=HOSTILE, excerpt=HOSTILE),
        [f"prompt not taken: {TAME}", TAME],
    ),
    (
        events.DecisionRefused(question="0" * 16, approved=True, text="8080", reason=HOSTILE),
        [f"that answer did not count: {TAME}"],
    ),
    (
        events.Configured(
            model="m", fallbacks=(), budget=Budget(steps=5, minutes=2, tokens=9_000, cost_usd=1.5)
        ),
        [
            (
                "from now on: model m, else no other, "
                "5 steps and 2 minutes a turn, 9,000 tokens in all, $1.5 in all"
            )
        ],
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
