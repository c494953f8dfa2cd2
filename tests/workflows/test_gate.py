"""What becomes of a model's wish to finish, on a real server with a scripted judge."""

import asyncio
from collections.abc import Callable

import pytest

from tests.fake_checks import red
from tests.fakes import FINISH, NODE, Reply, calls
from tests.workflows.conftest import Rig, decision, prompt
from workflows.contract import names
from workflows.contract.asking import AskedKind
from workflows.contract.checks import Baseline, CheckPlan, CheckSpec
from workflows.contract.findings import FindingCounts, FindingKind, TestCounts
from workflows.contract.judging import JudgeWork, Verdict
from workflows.contract.model import ModelCall
from workflows.contract.session import PromptMode, SessionView, StopReason
from workflows.contract.transcript import FromNode, FromWorkflow, ToolCall, ToolName

TESTS = CheckSpec(name="pytest", command="pytest", kind=FindingKind.TEST, rerun="pytest")


def new_files_each_step(rig: Rig) -> None:
    """The model edits before each wish to finish, so no tree is judged twice."""

    def reply(call: ModelCall) -> Reply:
        rig.sandbox.tree = f"{call.step:040x}"
        return FINISH

    rig.script(reply)


def judged_as(*rounds: dict[str, object]) -> Callable[[JudgeWork], dict[str, object]]:
    return lambda work: rounds[min(work.round, len(rounds)) - 1]


async def finished(rig: Rig) -> SessionView:
    async with rig.workers():
        await rig.start(prompt("work"))
        return await rig.until_waiting(1)


async def test_findings_go_back_until_nothing_is_found(rig: Rig) -> None:
    """A red work is refused with the findings as the call's answer; the mended one is proposed."""
    new_files_each_step(rig)
    rig.checks.judges = judged_as(red("a"), red("b"), {})
    view = await finished(rig)
    assert view.verdict is not None
    assert (view.verdict.verdict, view.verdict.round) == (Verdict.GREEN, 3)
    assert [each.verdict for each in rig.pull_requests.proposed] == [Verdict.GREEN]
    assert all(FromNode(sha256=NODE) in call.new for call in rig.model.asked[1:])
    assert [each.call_id for each in rig.checks.judged] == ["call-0"] * 3
    assert [each.previous for each in rig.checks.judged] == [None, NODE, NODE]
    assert rig.checks.baselines == 1
    assert rig.sandbox.fresh == []


async def test_the_work_is_judged_in_a_sandbox_of_nothing_else(rig: Rig) -> None:
    """Each round opens one from the exported work and removes it."""
    new_files_each_step(rig)
    rig.checks.judges = judged_as(red("a"), {})
    await finished(rig)
    boxes = [each.binding.sandbox_id for each in rig.checks.ran]
    assert boxes == [f"{rig.session}-r0-gate-t1-{n}" for n in (1, 2)]


async def test_files_that_did_not_change_are_not_judged_again(rig: Rig) -> None:
    """The same red tree gets no second chance to pass by luck; a person is asked in the end."""
    rig.checks.judges = judged_as(red("a"), {})
    async with rig.workers():
        await rig.start(prompt("work"))
        asked = await rig.until_asked(AskedKind.VERDICT)
    assert len(rig.checks.judged) == 1
    assert asked.subject == f"tree {rig.sandbox.tree}"
    assert rig.pull_requests.proposed == []


@pytest.mark.parametrize("sets", [("a", "a", "a"), ("a", "b", "a", "b", "a")])
async def test_no_progress_is_put_to_a_person_with_the_evidence(
    rig: Rig, sets: tuple[str, ...]
) -> None:
    """The same findings for the third time, in a row or in turns; a nudge goes before."""
    new_files_each_step(rig)
    rig.checks.judges = judged_as(*map(red, sets))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        asked = await rig.until_asked(AskedKind.VERDICT)
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=False, text="enough"))
        view = await rig.until_waiting(1)
    assert "a" in asked.text
    assert view.last is not None
    assert (view.last.reason, view.last.summary) == (StopReason.CHECKS_FAILED, "enough")
    assert len(rig.checks.judged) == len(sets)
    nudges = [m for call in rig.model.asked for m in call.new if isinstance(m, FromWorkflow)]
    assert any("earlier round" in nudge.text for nudge in nudges)
    assert rig.pull_requests.proposed == []


async def test_a_person_may_have_red_work_proposed_as_a_draft(rig: Rig) -> None:
    """It is proposed as what it is."""
    rig.checks.judges = judged_as(red("a"))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        asked = await rig.until_asked(AskedKind.VERDICT)
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=True))
        view = await rig.until_waiting(1)
    (proposal,) = rig.pull_requests.proposed
    assert (proposal.verdict, proposal.remarks) == (Verdict.RED, ("a",))
    assert view.pull_request is not None
    assert (view.pull_request.passed, view.pull_request.draft) == (False, True)


async def test_a_prompt_is_an_answer_too(rig: Rig) -> None:
    """A queued one ends the turn and is the next; nothing was proposed in between."""
    rig.checks.judges = lambda work: red("a") if work.turn == 1 else {}
    rig.script(lambda _: FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.until_asked(AskedKind.VERDICT)
        rig.sandbox.tree = "f" * 40
        await handle.signal(names.PROMPT_SIGNAL, prompt("look at the other file"))
        view = await rig.until_waiting(2)
    assert [each.turn for each in rig.pull_requests.proposed] == [2]
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN


async def test_a_steering_prompt_lets_the_same_turn_go_on(rig: Rig) -> None:
    """With its hint the model may try again."""
    rig.checks.judges = judged_as(red("a"), {})
    steered = asyncio.Event()

    def reply(_call: ModelCall) -> Reply:
        if steered.is_set():
            rig.sandbox.tree = "f" * 40
        return FINISH

    rig.script(reply)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.until_asked(AskedKind.VERDICT)
        steered.set()
        await handle.signal(names.PROMPT_SIGNAL, prompt("a hint", PromptMode.STEER))
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.FINISHED
    assert len(rig.pull_requests.proposed) == 1


async def test_what_failed_before_is_told_once_and_then_is_no_obstacle(rig: Rig) -> None:
    """The model may say that it is not its task; the proposal is a draft, not green."""
    before = {"failing": 1, "remaining": "x", "counts": FindingCounts(pre_existing=2)}
    new_files_each_step(rig)
    rig.checks.judges = judged_as(before)
    view = await finished(rig)
    assert len(rig.checks.judged) == 2
    assert view.pull_request is not None
    assert (view.pull_request.passed, view.pull_request.draft) == (False, True)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.NO_WORSE


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, Verdict.GREEN),
        ({"named": 1, "failing": 1}, Verdict.RED),
        ({"unrunnable": ("pytest",), "failing": 1}, Verdict.UNVERIFIED),
        ({"tests": TestCounts(passed=1), "tests_at_base": TestCounts(passed=2)}, Verdict.RED),
    ],
)
async def test_only_what_every_check_says_is_green(
    rig: Rig, facts: dict[str, object], verdict: Verdict
) -> None:
    """What could not be run, and fewer tests than before, never are."""
    rig.checks.judges = judged_as(facts)
    async with rig.workers():
        await rig.start(prompt("work"))
        view = await rig.until(lambda view: view.verdict is not None)
    assert view.verdict is not None
    assert view.verdict.verdict is verdict


async def test_without_checks_the_work_itself_is_still_examined(rig: Rig) -> None:
    """A file that may not be changed is a finding there too; with none it is unchecked."""
    new_files_each_step(rig)
    rig.checks.plan = CheckPlan(checks=(), source="test")
    rig.checks.examined = 1
    rig.checks.judges = judged_as(red("guarded"), {})
    view = await finished(rig)
    assert view.verdict is not None
    assert (view.verdict.verdict, view.verdict.round) == (Verdict.UNCHECKED, 2)
    assert [each.results for each in rig.checks.judged] == [(), ()]
    assert (rig.checks.baselines, rig.checks.ran) == (0, [])
    assert [each.verdict for each in rig.pull_requests.proposed] == [Verdict.UNCHECKED]


@pytest.mark.parametrize("last", [FINISH, ()], ids=["calls", "talks"])
async def test_work_that_cannot_be_taken_out_is_for_the_model_to_mend(
    rig: Rig, last: tuple[ToolCall, ...]
) -> None:
    """It is told why, whether it calls for its end or only talks."""
    rig.sandbox.is_broken = True

    def reply(call: ModelCall) -> Reply:
        rig.sandbox.is_broken = call.step < 2
        return last

    rig.script(reply)
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    told = next(m for call in rig.model.asked for m in call.new if isinstance(m, FromWorkflow))
    assert told.text == "Could not be judged: there is no repository"
    assert told.call_id == ("call-0" if last else None)


async def test_without_a_baseline_nothing_is_green(rig: Rig) -> None:
    """There is nothing to compare with: the proposal is a draft."""
    rig.checks.bare_baseline = True
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.UNVERIFIED
    assert view.pull_request is not None
    assert view.pull_request.draft


async def test_work_without_a_change_is_not_judged(rig: Rig) -> None:
    """Nothing is proposed, and nothing called green."""
    rig.sandbox.empty = True
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.UNCHANGED
    assert (rig.checks.judged, rig.pull_requests.proposed) == ([], [])


async def test_fixers_go_before_the_model(rig: Rig) -> None:
    """What they mend costs no request; the model is told which files they changed."""
    rig.checks.judges = judged_as(red("a", fixable=1), {})
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    assert [each.files for each in rig.checks.fixed] == [("a.py",)]
    assert len(rig.model.asked) == 1


async def test_changed_tests_are_run_as_they_were(rig: Rig) -> None:
    """In a sandbox that the work's own tests have not seen; the judge gets both runs."""
    rig.checks.plan = rig.checks.plan.model_copy(update={"checks": (TESTS,)})
    rig.checks.original = ("tests/test_a.py",)
    await finished(rig)
    assert [each.original for each in rig.checks.ran] == [(), ("tests/test_a.py",)]
    assert len({each.binding.sandbox_id for each in rig.checks.ran}) == 2
    assert len(rig.checks.judged[0].original) == 1


async def test_edits_are_looked_at_at_once(rig: Rig) -> None:
    """What the quick checks say is told with the next model call."""
    rig.checks.quick_message = NODE
    wanted = calls((ToolName.EDIT, "/workspace/a.py"), (ToolName.WRITE, "b.py"))
    rig.script(lambda call: wanted if call.step == 1 else FINISH)
    await finished(rig)
    assert [each.files for each in rig.checks.looked] == [("a.py", "b.py")]
    assert rig.model.asked[1].new[-1] == FromNode(sha256=NODE)


async def test_the_model_can_have_its_work_judged_before_it_finishes(rig: Rig) -> None:
    """The call is answered with the findings, and the turn goes on."""
    rig.checks.judges = judged_as(red("a"), {})

    def reply(call: ModelCall) -> Reply:
        rig.sandbox.tree = f"{call.step:040x}"
        return FINISH if call.step > 1 else calls((ToolName.RUN_CHECKS, ""))

    rig.script(reply)
    await finished(rig)
    assert len(rig.checks.judged) == 2
    assert len(rig.pull_requests.proposed) == 1


async def test_the_baseline_is_found_out_once_for_all_turns(rig: Rig) -> None:
    """Also when it is needed in the next turn first."""
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        await rig.until_waiting(1)
        rig.sandbox.tree = "f" * 40
        await handle.signal(names.PROMPT_SIGNAL, prompt("two"))
        await rig.until_waiting(2)
    assert rig.checks.baselines == 1
    assert isinstance(rig.checks.judged[1].baseline, Baseline)


async def test_a_mended_tree_is_judged_after_an_unchanged_one_was_refused(rig: Rig) -> None:
    """The work is taken out anew for each judgement, whatever became of the one before."""
    rig.checks.judges = lambda work: {} if work.work.tree == "f" * 40 else red("a")

    def reply(call: ModelCall) -> Reply:
        if call.step == 3:
            rig.sandbox.tree = "f" * 40
        return FINISH

    rig.script(reply)
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    assert [each.work.tree for each in rig.pull_requests.proposed] == ["f" * 40]


async def test_another_prompt_has_the_same_red_files_judged_anew(rig: Rig) -> None:
    """What blocks depends on the prompt too."""
    rig.checks.judges = lambda work: red("a") if work.turn == 1 else {}
    async with rig.workers():
        handle = await rig.start(prompt("mend x"))
        asked = await rig.until_asked(AskedKind.VERDICT)
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=False))
        await rig.until_waiting(1)
        await handle.signal(names.PROMPT_SIGNAL, prompt("leave x"))
        view = await rig.until_waiting(2)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    assert [each.turn for each in rig.pull_requests.proposed] == [2]


async def test_a_question_about_red_work_needs_no_mending(rig: Rig) -> None:
    """A turn that changes nothing may end; the work stays red and unproposed."""
    rig.checks.judges = judged_as(red("a"))
    async with rig.workers():
        handle = await rig.start(prompt("mend x"))
        asked = await rig.until_asked(AskedKind.VERDICT)
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=False))
        await rig.until_waiting(1)
        await handle.signal(names.PROMPT_SIGNAL, prompt("what is wrong?"))
        view = await rig.until_waiting(2)
    assert view.last is not None
    assert view.last.reason is StopReason.FINISHED
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.RED
    assert rig.pull_requests.proposed == []


async def test_trouble_that_may_pass_is_looked_at_again(rig: Rig) -> None:
    """A check that could not be run says nothing that holds for the same files next time."""
    trouble = red("timeout", unrunnable=("pytest",))
    rig.checks.judges = judged_as(trouble, {})
    view = await finished(rig)
    assert view.verdict is not None
    assert view.verdict.verdict is Verdict.GREEN
    assert len(rig.checks.judged) == 2


async def test_a_baseline_that_failed_is_looked_for_again(rig: Rig) -> None:
    """At the next judgement, once."""
    rig.checks.bare_baseline = True
    new_files_each_step(rig)
    rig.checks.judges = judged_as(red("a"), red("b"), {})
    await finished(rig)
    assert rig.checks.baselines == 2


async def test_work_that_was_lost_is_not_judged(rig: Rig) -> None:
    """What came out of a sandbox made anew is not what the model thinks it finished."""
    rig.sandbox.lose_files = True

    def reply(call: ModelCall) -> Reply:
        rig.sandbox.gone_once = call.step == 1
        return FINISH

    rig.script(reply)
    await finished(rig)
    assert len(rig.model.asked) == 2
    notes = [m.text for m in rig.model.asked[1].new if isinstance(m, FromWorkflow)]
    assert any("lost with its files and made anew" in note for note in notes)
    assert len(rig.checks.judged) == 1


async def test_work_that_goes_back_to_the_base_is_proposed_so(rig: Rig) -> None:
    """The branch must not go on showing what the session has taken back."""
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        await rig.until_waiting(1)
        rig.sandbox.empty, rig.sandbox.tree = True, "0" * 40
        await handle.signal(names.PROMPT_SIGNAL, prompt("take it back"))
        await rig.until_waiting(2)
    assert [each.verdict for each in rig.pull_requests.proposed] == [
        Verdict.GREEN,
        Verdict.UNCHANGED,
    ]
