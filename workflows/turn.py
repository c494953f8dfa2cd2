"""Works on one prompt: asks the model for a step, carries it out, and so on until an end.

The turn can stop before any step and go on in another run of the workflow, because all it knows
stands in the session's record.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import calls, opening
from workflows.calls import InterruptedCallError
from workflows.contract.base import CommandId, EffectId
from workflows.contract.model import ModelCall, ModelStep, WorkingFacts
from workflows.contract.sandbox import (
    CommandOutcome,
    CommandResult,
    RunCommand,
    StopCommand,
    UseFile,
)
from workflows.contract.session import Phase, StopReason, TurnEnd
from workflows.contract.transcript import FromNode, FromWorkflow, ToolCall, ToolName
from workflows.policy import budget, renewal
from workflows.record import SessionRecord

MAX_BAD_STEPS = 3
"""Steps in a row of unusable calls after which the turn has failed."""

COMMAND_SECONDS = 3_600.0
"""The longest a model may let a command run; it usually asks for less."""

INTERRUPTED = "Not carried out: the person interrupted."


async def work(record: SessionRecord) -> TurnEnd | None:
    """Run steps until the turn ends; None when the session should go on in a new run first."""
    try:
        await opening.ensure_open(record)
        record.show(Phase.WORKING, "asking the model")
        while True:
            end = _end_before_step(record)
            if end is not None:
                return end
            if is_renewal_due():
                return None
            end = await _take_step(record)
            if end is not None:
                return end
    except InterruptedCallError:
        return interrupted(record)


def interrupted(record: SessionRecord) -> TurnEnd:
    """Return the end of a turn that a person stopped."""
    return _end(record, StopReason.INTERRUPTED, "stopped by a person; send a prompt to go on")


def is_renewal_due() -> bool:
    """Tell whether the history has grown so long that a new run should go on."""
    info = workflow.info()
    return renewal.due_between_steps(
        info.get_current_history_length(), info.get_current_history_size()
    )


def _end_before_step(record: SessionRecord) -> TurnEnd | None:
    if record.interrupted:
        return interrupted(record)
    limits = record.options.budget
    spent = budget.spent(record.turn, limits, workflow.now().timestamp())
    return None if spent is None else _end(record, spent, budget.explain(spent, limits))


async def _take_step(record: SessionRecord) -> TurnEnd | None:
    step = await _ask(record)
    record.show(Phase.WORKING, "; ".join(f"{call.name}: {call.summary}" for call in step.calls))
    for refused in step.refused:
        record.note(refused.reason, refused.id)
    if not step.calls and not step.refused:
        return _end(record, StopReason.FINISHED, step.text)
    end = await _carry_out(record, step)
    if end is not None:
        return end
    return _count_bad_step(record, step)


async def _ask(record: SessionRecord) -> ModelStep:
    record.take_steering()
    number = record.turn.step + 1
    state = record.state
    record.update_turn(step=number)
    record.update(steps=state.steps + 1)
    handle = calls.step(
        ModelCall(
            session=record.session,
            turn=record.turn.number,
            step=state.steps + 1,
            model=record.options.model,
            facts=_facts(record),
            head=state.head,
            new=state.pending,
        )
    )
    step = await calls.interruptible(handle, lambda: record.interrupted)
    told = len(state.pending)
    record.update(
        head=step.head,
        # A prompt may have steered meanwhile: only what was sent is no longer pending.
        pending=record.state.pending[told:],
        usage=record.state.usage.plus(step.usage),
    )
    return step


def _facts(record: SessionRecord) -> WorkingFacts:
    plan = record.state.plan
    return WorkingFacts(
        repository=record.options.repository.url[-500:],
        base=record.options.repository.base,
        workspace=record.binding.workspace,
        checks=tuple(check.command for check in plan.checks) if plan is not None else (),
    )


async def _carry_out(record: SessionRecord, step: ModelStep) -> TurnEnd | None:
    """Carry out the calls in order; every one gets an answer, also when the person interrupts."""
    for index, call in enumerate(step.calls):
        if record.interrupted:
            for rest in step.calls[index:]:
                record.note(INTERRUPTED, rest.id)
            return interrupted(record)
        if call.name is ToolName.FINISH:
            record.note("Accepted.", call.id)
            return _end(record, StopReason.FINISHED, call.summary)
        await _answer(record, call, f"s{step.step}-{index}")
    return None


async def _answer(record: SessionRecord, call: ToolCall, name: str) -> None:
    try:
        if call.name is ToolName.BASH:
            await _run(record, call, CommandId(name))
        else:
            await _use_file(record, call, EffectId(name))
    except ActivityError as error:
        # The model learns of it and may do without; a broken host shows in the next step again.
        record.note(f"Failed: {failure_text(error)}", call.id)


async def _run(record: SessionRecord, call: ToolCall, command_id: CommandId) -> None:
    now = workflow.now().timestamp()
    left = budget.seconds_left(record.turn, record.options.budget, now)
    request = RunCommand(
        session=record.session,
        turn=record.turn.number,
        step=record.state.steps,
        binding=record.binding,
        command_id=command_id,
        call=call,
        timeout_seconds=min(COMMAND_SECONDS, left),
    )
    try:
        result = await calls.interruptible(calls.run_command(request), lambda: record.interrupted)
    except InterruptedCallError:
        result = await _stop(record, request)
    except ActivityError:
        # Whatever went wrong with the activity, the command must not run on unseen.
        await _stop(record, request)
        raise
    record.tell(_message_of(result, call))
    if result.outcome is CommandOutcome.LOST:
        await opening.reopen(record)


async def _stop(record: SessionRecord, request: RunCommand) -> CommandResult:
    """End a command whose activity is not waited for any more; its host may be down now."""
    record.show(activity=f"stopping {request.call.summary if request.call else request.shell}")
    return await asyncio.shield(
        calls.stop_command(
            StopCommand(
                session=request.session,
                turn=request.turn,
                step=request.step,
                binding=request.binding,
                command_id=request.command_id,
                call=request.call,
            )
        )
    )


def _message_of(result: CommandResult, call: ToolCall) -> FromNode | FromWorkflow:
    if result.message is not None:
        return FromNode(sha256=result.message)
    return FromWorkflow(text=f"The command ended as {result.outcome}.", call_id=call.id)


async def _use_file(record: SessionRecord, call: ToolCall, effect_id: EffectId) -> None:
    result = await opening.in_sandbox(
        record,
        lambda: calls.use_file(
            UseFile(
                session=record.session,
                turn=record.turn.number,
                step=record.state.steps,
                binding=record.binding,
                effect_id=effect_id,
                call=call,
            )
        ),
    )
    record.tell(FromNode(sha256=result.message))


def _count_bad_step(record: SessionRecord, step: ModelStep) -> TurnEnd | None:
    bad = 0 if step.calls else record.turn.bad_steps + 1
    record.update_turn(bad_steps=bad)
    if bad < MAX_BAD_STEPS:
        return None
    reason = step.refused[0].reason if step.refused else ""
    return _end(
        record, StopReason.FAILED, f"the model asked {bad} times for unusable calls: {reason}"
    )


def failure_text(error: ActivityError) -> str:
    """Return what a failed activity says, for people and the model."""
    cause = error.cause or error
    return (getattr(cause, "message", "") or str(cause))[:1_500]


def _end(record: SessionRecord, reason: StopReason, summary: str) -> TurnEnd:
    return TurnEnd(turn=record.turn.number, reason=reason, summary=summary[:300])
