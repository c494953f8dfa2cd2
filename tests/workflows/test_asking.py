"""What a person is asked and decides, on a real server: questions, approvals, budgets, models."""

import asyncio
import uuid
from collections.abc import Callable

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from runtime import temporal
from tests.conftest import FASTER_QUEUES, temporal_binary
from tests.fakes import FINISH, NODE, FakeSandbox, Reply, calls
from tests.workflows.beating import beating
from tests.workflows.conftest import Rig, decision, prompt
from workflows.contract import names
from workflows.contract.asking import AskedKind
from workflows.contract.base import SessionId
from workflows.contract.failures import Failure
from workflows.contract.model import ModelCall
from workflows.contract.session import (
    Approvals,
    Budget,
    ConfigureSignal,
    InterruptSignal,
    Phase,
    PromptMode,
    PromptsWaiting,
    RevisePrompt,
    StopReason,
    WithdrawPrompt,
)
from workflows.contract.transcript import FromPrompt, FromWorkflow, ToolCall, ToolName

QUESTION = (
    ToolCall(
        id="call-0",
        name=ToolName.ASK,
        summary="Which unit?",
        options=("grams", "kilograms"),
        source=NODE,
    ),
)
HELD = (ToolCall(id="call-0", name=ToolName.BASH, summary="git push", held=True, source=NODE),)


def first(reply: Reply) -> Callable[[ModelCall], Reply]:
    return lambda call: reply if call.step == 1 else FINISH


def answers(rig: Rig, step: int) -> list[str]:
    """What the workflow told the model with its call number `step`, as answers of calls."""
    return [m.text for m in rig.model.asked[step - 1].new if isinstance(m, FromWorkflow)]


async def test_the_models_question_is_answered_by_the_person(rig: Rig) -> None:
    """The answer is the call's; a second one changes nothing and is shown as refused."""
    rig.script(first(QUESTION))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        asked = await rig.until_asked(AskedKind.QUESTION)
        view = await rig.view()
        assert (view.phase, asked.text) == (Phase.ASKING, "Which unit?")
        assert asked.options == ("grams", "kilograms")
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=True, text="grams"))
        await rig.until_waiting(1)
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=False))
        view = await rig.until(lambda view: view.refused != "")
    assert answers(rig, 2) == ["The person's answer: grams"]
    assert "not open" in view.refused


async def test_a_decision_fits_nothing_but_its_question(rig: Rig) -> None:
    """The answer to the first of two equal questions does not answer the second."""
    rig.script(lambda call: QUESTION if call.step < 3 else FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        one = await rig.until_asked(AskedKind.QUESTION)
        await handle.signal(names.DECIDE_SIGNAL, decision(one, approved=True, text="grams"))
        view = await rig.until(lambda view: view.asked is not None and view.asked.id != one.id)
        two = view.asked
        assert two is not None
        await handle.signal(names.DECIDE_SIGNAL, decision(one, approved=True, text="wrong"))
        await handle.signal(names.DECIDE_SIGNAL, decision(two, approved=True, text="right"))
        await rig.until_waiting(1)
    assert answers(rig, 3) == ["The person's answer: right"]


async def test_a_steering_prompt_answers_a_question_too(rig: Rig) -> None:
    """The model reads the prompt instead."""
    rig.script(first(QUESTION))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await rig.until_asked(AskedKind.QUESTION)
        await handle.signal(names.PROMPT_SIGNAL, prompt("use grams", PromptMode.STEER))
        view = await rig.until_waiting(1)
    assert view.turn == 1
    assert any(isinstance(message, FromPrompt) for message in rig.model.asked[1].new)


async def test_a_held_command_runs_only_when_it_is_approved(rig: Rig) -> None:
    """The question names exactly the command; a refusal is told to the model with its reason."""
    rig.script(lambda call: HELD if call.step < 3 else FINISH)
    rig.approvals = Approvals(commands=("git push*",))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        one = await rig.until_asked(AskedKind.COMMAND)
        assert (one.subject, one.source) == ("git push", NODE)
        await handle.signal(names.DECIDE_SIGNAL, decision(one, approved=False, text="not yet"))
        view = await rig.until(lambda view: view.asked is not None and view.asked.id != one.id)
        assert view.asked is not None
        assert "run git push" not in rig.sandbox.noted
        await handle.signal(names.DECIDE_SIGNAL, decision(view.asked, approved=True))
        await rig.until_waiting(1)
    assert rig.model.asked[0].held_commands == ("git push*",)
    assert answers(rig, 2) == ["Not run: the person refused this command. not yet"]
    assert rig.sandbox.noted.count("run git push") == 1


@pytest.mark.parametrize("approved", [True, False])
async def test_a_proposal_can_wait_for_a_look_at_it(rig: Rig, *, approved: bool) -> None:
    """Bound to the very files; refused, nothing is pushed."""
    rig.approvals = Approvals(pull_request=True)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        asked = await rig.until_asked(AskedKind.PULL_REQUEST)
        assert asked.subject == f"tree {rig.sandbox.tree}"
        assert rig.pull_requests.proposed == []
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=approved))
        view = await rig.until_waiting(1)
    assert len(rig.pull_requests.proposed) == int(approved)
    assert view.last is not None
    assert view.last.reason is (StopReason.FINISHED if approved else StopReason.REJECTED)


async def test_a_spent_budget_is_raised_by_a_yes(rig: Rig) -> None:
    """By as much again, then a person is asked anew."""
    rig.budget = Budget(steps=2)
    rig.script(lambda call: calls((ToolName.BASH, f"{call.step}")))
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        one = await rig.until_asked(AskedKind.BUDGET)
        await handle.signal(names.DECIDE_SIGNAL, decision(one, approved=True))
        view = await rig.until(lambda view: view.asked is not None and view.asked.id != one.id)
        assert view.asked is not None
        assert len(rig.model.asked) == 4
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.INTERRUPTED


async def test_another_budget_lets_a_waiting_turn_go_on(rig: Rig) -> None:
    """Tokens of the whole session: no call is made beyond them, and a higher limit suffices."""
    rig.budget = Budget(tokens=20)
    rig.script(lambda call: calls((ToolName.BASH, f"{call.step}")) if call.step < 4 else FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        asked = await rig.until_asked(AskedKind.BUDGET)
        assert "20 tokens" in asked.text
        assert len(rig.model.asked) == 2
        await handle.signal(names.CONFIGURE_SIGNAL, ConfigureSignal(budget=Budget(tokens=1_000)))
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.FINISHED


async def test_another_model_is_asked_from_the_next_call_on(rig: Rig) -> None:
    """In the middle of a turn, and it stays so."""
    first_asked, changed = asyncio.Event(), asyncio.Event()

    async def reply(call: ModelCall) -> Reply:
        if call.step > 1:
            return FINISH
        first_asked.set()
        await beating(changed.wait())
        return calls((ToolName.BASH, "ls"))

    rig.script(reply)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await first_asked.wait()
        await handle.signal(names.CONFIGURE_SIGNAL, ConfigureSignal(model="other/model"))
        changed.set()
        view = await rig.until_waiting(1)
    assert [call.model for call in rig.model.asked] == ["openai/scripted", "other/model"]
    assert view.model == "other/model"


async def test_a_model_named_while_another_fails_is_asked_at_once(rig: Rig) -> None:
    """The failure of the old one is not held against the new one."""
    first_asked, changed = asyncio.Event(), asyncio.Event()

    async def reply(call: ModelCall) -> Reply:
        if call.model == "other/model":
            return FINISH
        first_asked.set()
        await beating(changed.wait())
        return ApplicationError("no key", type=Failure.MODEL_FATAL, non_retryable=True)

    rig.script(reply)
    async with rig.workers():
        handle = await rig.start(prompt("work"))
        await first_asked.wait()
        await handle.signal(names.CONFIGURE_SIGNAL, ConfigureSignal(model="other/model"))
        changed.set()
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.FINISHED
    assert [call.model for call in rig.model.asked] == ["openai/scripted", "other/model"]


async def test_a_model_that_cannot_be_asked_is_replaced_by_the_next_of_the_list(rig: Rig) -> None:
    """For the rest of the turn; the next one begins with the first model again."""
    rig.fallbacks = ("second/model", "third/model")

    def reply(call: ModelCall) -> Reply:
        if call.turn == 1 and call.model != "third/model":
            return ApplicationError("no key", type=Failure.MODEL_FATAL, non_retryable=True)
        return FINISH

    rig.script(reply)
    async with rig.workers():
        handle = await rig.start(prompt("one"))
        await rig.until_waiting(1)
        await handle.signal(names.PROMPT_SIGNAL, prompt("two"))
        await rig.until_waiting(2)
    assert [(call.turn, call.model) for call in rig.model.asked] == [
        (1, "openai/scripted"),
        (1, "second/model"),
        (1, "third/model"),
        (2, "openai/scripted"),
    ]
    assert [call.step for call in rig.model.asked] == [1, 1, 1, 2]


async def test_waiting_prompts_are_edited_and_taken_back(rig: Rig) -> None:
    """In their place; one that is being worked on is not, with a reason."""
    rig.sandbox.hang.add("sleep")
    rig.script(first(calls((ToolName.BASH, "sleep"))))
    one, two, three, other = (prompt(text) for text in ("1", "2", "3", "2b"))
    async with rig.workers():
        handle = await rig.start(one)
        await rig.sandbox.running.wait()
        await handle.signal(names.PROMPT_SIGNAL, two)
        await handle.signal(names.PROMPT_SIGNAL, three)
        left: PromptsWaiting = await handle.execute_update(
            names.REVISE_UPDATE,
            RevisePrompt(prompt=two.id, replacement=other),
            result_type=PromptsWaiting,
        )
        assert left.waiting == 2
        await handle.execute_update(names.WITHDRAW_UPDATE, WithdrawPrompt(prompt=three.id))
        view = await rig.view()
        assert [each.id for each in view.queue] == [other.id]
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(names.WITHDRAW_UPDATE, WithdrawPrompt(prompt=one.id))
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == names.NOT_WAITING
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())
        await rig.until_waiting(2)
    told = [m.prompt_id for call in rig.model.asked for m in call.new if isinstance(m, FromPrompt)]
    assert told == [one.id, other.id]


@pytest.mark.parametrize("kind", [AskedKind.QUESTION, AskedKind.COMMAND, AskedKind.BUDGET])
async def test_an_open_question_outlives_its_worker_and_a_week(kind: AskedKind) -> None:
    """With no worker alive the answer is taken; the worker that comes then goes on from it."""
    extra = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
    async with await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=temporal_binary(),
        dev_server_extra_args=[*FASTER_QUEUES, *extra],
        data_converter=pydantic_data_converter,
    ) as environment:
        await temporal.prepare_namespace(environment.client)
        queue = f"q-{uuid.uuid4().hex}"
        rig = Rig(environment.client, queue, SessionId(f"s-{queue}"), FakeSandbox(queue=queue))
        wanted = {AskedKind.QUESTION: QUESTION, AskedKind.COMMAND: HELD}
        rig.budget = Budget(steps=1 if kind is AskedKind.BUDGET else 9, minutes=30)
        rig.script(first(wanted.get(kind, calls((ToolName.BASH, "ls")))))
        async with rig.workers():
            handle = await rig.start(prompt("work"))
            asked = await rig.until_asked(kind)
        before = await environment.get_current_time(handle)
        await environment.fast_forward(handle, 7 * 24 * 3_600)
        assert (await environment.get_current_time(handle) - before).days >= 6
        await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=True, text="yes"))
        async with rig.workers(cached_workflows=0):
            view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.FINISHED
    assert len(rig.model.asked) == 2
    assert rig.sandbox.fresh == []
