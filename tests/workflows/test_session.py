"""The session workflow on a real server, with scripted ports."""

import asyncio

from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from tests.fakes import FINISH, Reply, calls, model_step
from tests.workflows.beating import beating
from tests.workflows.conftest import Rig, decision, prompt
from workflows import opening
from workflows.contract import names
from workflows.contract.asking import AskedKind
from workflows.contract.failures import Failure
from workflows.contract.session import (
    Budget,
    CloseSignal,
    InterruptSignal,
    PromptMode,
    PromptSignal,
    SessionEnd,
    SessionInput,
    StopReason,
)
from workflows.contract.transcript import FromPrompt, FromWorkflow, RefusedCall, ToolName
from workflows.session import LEFT_OUT, AgentSession


async def test_a_prompt_becomes_a_pull_request(rig: Rig) -> None:
    """A turn runs the model's calls in order, checks, proposes, and then waits."""
    replies = [calls((ToolName.BASH, "ls"), (ToolName.EDIT, "a.py")), FINISH]
    rig.script(lambda call: replies[call.step - 1])
    async with rig.workers():
        await rig.start(prompt("fix it"))
        view = await rig.until_waiting(1)
    assert rig.sandbox.noted[1:] == ["run ls", "edit a.py", "export"]
    assert view.last is not None
    assert view.last.reason is StopReason.FINISHED
    assert view.checks == ("pytest passed",)
    assert [p.revision for p in rig.pull_requests.proposed] == [1]
    assert view.usage.requests == 2


async def test_an_unchanged_tree_is_not_proposed_again(rig: Rig) -> None:
    """A follow-up that changes nothing leaves the one pull request as it is."""
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        await rig.until_waiting(1)
        await handle.signal(names.PROMPT_SIGNAL, prompt("two"))
        await rig.until_waiting(2)
        rig.sandbox.tree = "f" * 40
        await handle.signal(names.PROMPT_SIGNAL, prompt("three"))
        await rig.until_waiting(3)
    assert [p.revision for p in rig.pull_requests.proposed] == [1, 2]
    assert rig.pull_requests.proposed[1].expected == f"{1:040x}"


async def test_prompts_are_handled_once_and_in_order(rig: Rig) -> None:
    """Prompts signalled with no worker alive, one of them twice, each become one turn."""
    handle = await rig.start(prompt("0"))
    for number in range(1, 8):
        again = prompt(str(number))
        await handle.signal(names.PROMPT_SIGNAL, again)
        await handle.signal(names.PROMPT_SIGNAL, again)
    async with rig.workers():
        await rig.until_waiting(8)
    told = [m.prompt_id for call in rig.model.asked for m in call.new if isinstance(m, FromPrompt)]
    assert len(told) == len(set(told)) == 8


async def test_an_interrupt_stops_the_running_command(rig: Rig) -> None:
    """The command is stopped, every call is answered, nothing is proposed, the next prompt runs."""
    rig.sandbox.hang.add("sleep 1000")
    wanted = calls((ToolName.BASH, "sleep 1000"), (ToolName.BASH, "never"))
    rig.script(lambda call: wanted if call.step == 1 else FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("hang"))
        await rig.sandbox.running.wait()
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        view = await rig.until_waiting(1)
        assert view.last is not None
        assert view.last.reason is StopReason.INTERRUPTED
        assert rig.pull_requests.proposed == []
        await handle.signal(names.PROMPT_SIGNAL, prompt("go on"))
        await rig.until_waiting(2)
    assert "stop s1-0" in rig.sandbox.noted
    assert "run never" not in rig.sandbox.noted
    answered = [m.call_id for m in rig.model.asked[1].new if isinstance(m, FromWorkflow)]
    assert answered == ["call-1"]


async def test_an_interrupting_prompt_is_the_next_turn(rig: Rig) -> None:
    """It overtakes the prompts that wait."""
    rig.sandbox.hang.add("sleep 1000")
    rig.script(lambda call: calls((ToolName.BASH, "sleep 1000")) if call.step == 1 else FINISH)
    urgent = prompt("now", PromptMode.INTERRUPT)
    async with rig.workers():
        handle = await rig.start(prompt("hang"))
        await rig.sandbox.running.wait()
        await handle.signal(names.PROMPT_SIGNAL, prompt("later"))
        await handle.signal(names.PROMPT_SIGNAL, urgent)
        await rig.until_waiting(3)
    told = [m.prompt_id for m in rig.model.asked[1].new if isinstance(m, FromPrompt)]
    assert told == [urgent.id]


async def test_a_steering_prompt_joins_the_running_turn(rig: Rig) -> None:
    """It is told with the next model call, and makes no turn of its own."""
    asked = asyncio.Event()
    steered = asyncio.Event()

    async def answer(step: int) -> Reply:
        if step == 1:
            asked.set()
            await beating(steered.wait())
            return calls((ToolName.BASH, "ls"))
        return FINISH

    rig.script(lambda call: answer(call.step))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await asked.wait()
        await handle.signal(names.PROMPT_SIGNAL, prompt("rather so", PromptMode.STEER))
        steered.set()
        view = await rig.until_waiting(1)
    assert view.turn == 1
    assert any(isinstance(message, FromPrompt) for message in rig.model.asked[1].new)


async def test_a_step_budget_that_is_not_raised_ends_the_turn(rig: Rig) -> None:
    """A person is asked; the stop reason names the budget, nothing is proposed."""
    rig.budget = Budget(steps=3)
    rig.script(lambda _: calls((ToolName.BASH, "again")))
    async with rig.workers():
        handle = await rig.start(prompt("loop"))
        asked = await rig.until_asked(AskedKind.BUDGET)
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=False))
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.STEP_BUDGET
    assert "3 steps" in view.last.summary
    assert len(rig.model.asked) == 3
    assert rig.pull_requests.proposed == []


async def test_a_fatal_model_error_ends_the_turn_with_its_text(rig: Rig) -> None:
    """The session survives it: the next prompt is told together with the one that failed."""
    fatal = ApplicationError("the key is wrong", type=Failure.MODEL_FATAL, non_retryable=True)
    rig.script(lambda call: fatal if call.step == 1 else FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        view = await rig.until_waiting(1)
        assert view.last is not None
        assert (view.last.reason, view.last.summary) == (StopReason.FAILED, "the key is wrong")
        assert view.last.failure == Failure.MODEL_FATAL
        await handle.signal(names.PROMPT_SIGNAL, prompt("two"))
        await rig.until_waiting(2)
    assert len([m for m in rig.model.asked[1].new if isinstance(m, FromPrompt)]) == 2


async def test_a_lost_sandbox_is_told_to_the_model(rig: Rig) -> None:
    """A lost command is reported, never repeated; the sandbox is opened again once."""
    rig.sandbox.lose.add("make")
    rig.script(lambda call: calls((ToolName.BASH, "make")) if call.step == 1 else FINISH)
    async with rig.workers():
        await rig.start(prompt("build"))
        await rig.until_waiting(1)
    assert rig.sandbox.noted.count("run make") == 1
    assert rig.sandbox.noted.count(f"open {rig.session}-r0 generation 1") == 1
    notes = [m.text for m in rig.model.asked[1].new if isinstance(m, FromWorkflow)]
    assert any("restarted" in note for note in notes)


async def test_a_file_is_used_after_its_sandbox_came_back(rig: Rig) -> None:
    """An edit that finds no sandbox is made once the sandbox stands again."""
    rig.sandbox.gone_once = True
    rig.script(lambda call: calls((ToolName.EDIT, "a.py")) if call.step == 1 else FINISH)
    async with rig.workers():
        await rig.start(prompt("edit"))
        await rig.until_waiting(1)
    assert rig.sandbox.noted.count("edit a.py") == 1


async def test_an_export_is_asked_anew_after_its_sandbox_came_back(rig: Rig) -> None:
    """Under another id: a command that was lost with its sandbox stays lost."""
    rig.sandbox.gone_once = True
    async with rig.workers():
        await rig.start(prompt("work"))
        view = await rig.until_waiting(1)
    assert view.pull_request is not None
    assert rig.sandbox.exports == ["export-t1-1-g0", "export-t1-1-g1"]


async def test_an_interrupt_during_the_export_proposes_nothing(rig: Rig) -> None:
    """Nothing leaves the sandbox once a person said stop, with checks or without."""
    rig.sandbox.hang.add("export-t1-1-g0")
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.sandbox.running.wait()
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        rig.sandbox.hang.clear()
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.INTERRUPTED
    assert rig.pull_requests.proposed == []


async def test_a_closed_session_leaves_what_a_reopening_needs(rig: Rig) -> None:
    """Its end holds the checkpoint and the seen prompts; the reopened one goes on from them."""
    first = prompt("one")
    async with rig.workers():
        handle = await rig.start(first)
        await rig.until_waiting(1)
        await handle.signal(names.CLOSE_SIGNAL, CloseSignal())
        end = await handle.result()
        assert end.state.checkpoint is not None
        assert end.state.binding is None
        assert rig.archive.runs == [0]
        handle = await reopened(rig, end, first)
        await handle.signal(names.PROMPT_SIGNAL, prompt("two"))
        await rig.until_waiting(2)
    assert f"open {rig.session}-r1 generation 0" in rig.sandbox.noted
    assert len(rig.model.asked) == 2


async def test_work_that_could_not_be_kept_is_told_of_when_the_session_is_reopened(
    rig: Rig,
) -> None:
    """Closing does not hang on a broken repository, and the model does not take it for the work."""
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        await rig.until_waiting(1)
        rig.sandbox.is_broken = True
        await handle.signal(names.CLOSE_SIGNAL, CloseSignal())
        end = await handle.result()
        rig.sandbox.is_broken = False
        await reopened(rig, end, prompt("two"))
        await rig.until_waiting(2)
    notes = [m.text for m in rig.model.asked[1].new if isinstance(m, FromWorkflow)]
    assert notes[-1] == opening.MADE_ANEW
    assert rig.sandbox.noted[-1] == "export"


async def test_what_closing_cannot_keep_is_named_when_the_session_is_reopened(rig: Rig) -> None:
    """All else is kept."""
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        await rig.until_waiting(1)
        rig.sandbox.nested = ("vendor/x",)
        await handle.signal(names.CLOSE_SIGNAL, CloseSignal())
        end = await handle.result()
        rig.sandbox.nested = ()
        await reopened(rig, end, prompt("two"))
        await rig.until_waiting(2)
    assert end.state.checkpoint is not None
    assert end.state.checkpoint.left_out == ("vendor/x",)
    notes = [m.text for m in rig.model.asked[1].new if isinstance(m, FromWorkflow)]
    assert notes[-1] == LEFT_OUT.format("vendor/x")


async def reopened(
    rig: Rig, end: SessionEnd, first: PromptSignal
) -> WorkflowHandle[AgentSession, SessionEnd]:
    """Start the session anew as the gateway does, with a prompt."""
    again = SessionInput(
        session=rig.session, options=end.options, run_index=end.run_index + 1, state=end.state
    )
    return await rig.client.start_workflow(
        AgentSession.run,
        again,
        id=rig.session,
        task_queue=rig.queue,
        start_signal=names.PROMPT_SIGNAL,
        start_signal_args=[first],
    )


async def test_closing_interrupts_what_runs(rig: Rig) -> None:
    """A running command is stopped and the sandbox removed."""
    rig.sandbox.hang.add("sleep 1000")
    rig.script(lambda _: calls((ToolName.BASH, "sleep 1000")))
    async with rig.workers():
        handle = await rig.start(prompt("hang"))
        await rig.sandbox.running.wait()
        await handle.signal(names.CLOSE_SIGNAL, CloseSignal())
        await handle.result()
    assert rig.sandbox.noted[-3:] == ["stop s1-0", "export", "close"]


async def test_an_interrupt_during_a_check_proposes_nothing(rig: Rig) -> None:
    """The check's command is stopped and the turn is interrupted."""
    rig.sandbox.hang.add("pytest")
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.sandbox.running.wait()
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.INTERRUPTED
    assert rig.pull_requests.proposed == []
    assert rig.sandbox.fresh == []


async def test_three_unusable_steps_in_a_row_end_the_turn(rig: Rig) -> None:
    """A model that cannot form calls is not asked for ever."""
    bad = (RefusedCall(id="x", name="bsh", reason="no such tool"),)
    rig.script(lambda call: model_step(call, ()).model_copy(update={"refused": bad}))
    async with rig.workers():
        await rig.start(prompt("work"))
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.FAILED
    assert "no such tool" in view.last.summary
    assert len(rig.model.asked) == 3


async def test_checks_that_could_not_be_read_are_read_by_the_next_turn(rig: Rig) -> None:
    """Work is never delivered as if the repository had none."""
    rig.checks.unreadable_once = True
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        failed = await rig.until_waiting(1)
        await handle.signal(names.PROMPT_SIGNAL, prompt("two"))
        view = await rig.until_waiting(2)
    assert failed.last is not None
    assert failed.last.reason is StopReason.FAILED
    assert view.checks == ("pytest passed",)
    assert [each.checks[0].passed for each in rig.pull_requests.proposed] == [True]
