"""Carries out what the model calls in a step; every call gets an answer, whatever happens."""

import asyncio

from temporalio.exceptions import ActivityError

from workflows import asking, calls, finishing, opening
from workflows.calls import InterruptedCallError
from workflows.contract.asking import AskedKind
from workflows.contract.base import CommandId, EffectId
from workflows.contract.model import ModelStep
from workflows.contract.sandbox import (
    CommandOutcome,
    CommandResult,
    RunCommand,
    StopCommand,
    UseFile,
)
from workflows.contract.session import Phase, TurnEnd
from workflows.contract.transcript import FromNode, FromWorkflow, ToolCall, ToolName
from workflows.policy import budget, questions
from workflows.record import SessionRecord

COMMAND_SECONDS = 3_600.0
"""The longest a model may let a command run; it usually asks for less."""

SLOW_SECONDS = 5.0
"""A command that takes longer is no repetition of one that said the same."""

FAILURES_LIMIT = 2
"""Times in a turn that work could not be judged, after which the turn has failed."""

ANSWER_CHARACTERS = 2_000
INTERRUPTED = "Not carried out: the person interrupted."
ENDED = "Not carried out: the turn had ended before it."
ONE_QUESTION = "Not asked: ask one question at a time, with all that belongs to it."
PROMPTED = "The person sent a prompt instead of an answer; it follows."

Observation = str
"""What came of a call, as far as it matters for whether a step repeats an earlier one."""


async def carry_out(record: SessionRecord, step: ModelStep) -> tuple[TurnEnd | None, list[str]]:
    """Carry the calls out in order; return the turn's end, if any, and what came of each call."""
    observed: list[Observation] = []
    for index, call in enumerate(step.calls):
        if record.interrupted:
            _leave(record, step.calls[index:], INTERRUPTED)
            return record.interrupted_end(), observed
        if call.name is ToolName.FINISH:
            end = await finish(record, call.summary, call.id)
            if end is not None:
                _leave(record, step.calls[index + 1 :], ENDED)
                return end, observed
            observed.append(judged_tree(record))
        else:
            observed.append(await _answer(record, step, index))
    return None, observed


def judged_tree(record: SessionRecord) -> Observation:
    """Return what the last judgement was about: asking anew about other files is no repetition."""
    verdict = record.state.verdict
    return verdict.tree if verdict is not None else ""


def _leave(record: SessionRecord, rest: tuple[ToolCall, ...], why: str) -> None:
    for call in rest:
        record.note(why, call.id)


async def finish(record: SessionRecord, summary: str, call_id: str | None) -> TurnEnd | None:
    """Judge the work; the model is told when that fails, and may mend what stands in the way."""
    try:
        return await finishing.finish(record, summary, call_id)
    except InterruptedCallError:
        return record.interrupted_end()
    except ActivityError as error:
        failures = record.turn.gate.failures + 1
        record.update_gate(failures=failures)
        record.note(f"Could not be judged: {opening.failure_text(error)}", call_id)
        if failures >= FAILURES_LIMIT:
            raise
        record.show(Phase.WORKING)
        return None


async def _answer(record: SessionRecord, step: ModelStep, index: int) -> Observation:
    call, name = step.calls[index], f"s{step.step}-{index}"
    try:
        match call.name:
            case ToolName.BASH:
                return await _run(record, call, CommandId(name))
            case ToolName.ASK:
                return await _ask(record, step, index)
            case ToolName.RUN_CHECKS:
                await finishing.run_checks(record, call.id)
                record.show(Phase.WORKING)
                return judged_tree(record)
            case _:
                return await _use_file(record, call, EffectId(name))
    except InterruptedCallError:
        record.note(INTERRUPTED, call.id)
    except ActivityError as error:
        # The model learns of it and may do without; a broken host shows in the next step again.
        record.note(f"Failed: {opening.failure_text(error)}", call.id)
        record.show(Phase.WORKING)
    return "failed"


async def _run(record: SessionRecord, call: ToolCall, command_id: CommandId) -> Observation:
    if call.held and not await _is_approved(record, call, command_id):
        return "refused"
    left = budget.seconds_left(record.turn, record.options.budget, record.now())
    request = RunCommand(
        session=record.session,
        turn=record.turn.number,
        step=record.state.steps,
        binding=record.binding,
        command_id=command_id,
        call=call,
        timeout_seconds=min(COMMAND_SECONDS, max(1.0, left)),
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
        await _bring_back(record)
    # A slow command may be the model's way of waiting for something.
    moment = command_id if result.seconds >= SLOW_SECONDS else ""
    return f"{moment} {result.outcome} {result.exit_code} {result.excerpt}"


async def _bring_back(record: SessionRecord) -> None:
    try:
        await opening.reopen(record)
    except ActivityError as error:
        # The command's call is answered; the next call will try again.
        record.note(f"The sandbox does not come back: {opening.failure_text(error)}")


async def _is_approved(record: SessionRecord, call: ToolCall, command_id: CommandId) -> bool:
    """Ask a person about exactly this command, in this place; tell the model when refused."""
    asked = questions.question(
        AskedKind.COMMAND,
        "May this command be run?",
        command_id,
        subject=call.summary,
        source=call.source,
    )
    decision = await asking.ask(record, asked)
    if decision is not None and decision.approved:
        return True
    said = decision.text if decision is not None else ""
    record.note(f"Not run: the person refused this command. {said}".strip(), call.id)
    return False


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


async def _use_file(record: SessionRecord, call: ToolCall, effect_id: EffectId) -> Observation:
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
    if result.ok and call.name in (ToolName.EDIT, ToolName.WRITE):
        record.note_edit(call.summary)
    return f"{result.ok} {result.excerpt}"


async def _ask(record: SessionRecord, step: ModelStep, index: int) -> Observation:
    """Put the model's question to the person; a steering prompt answers it too."""
    call = step.calls[index]
    if any(earlier.name is ToolName.ASK for earlier in step.calls[:index]):
        record.note(ONE_QUESTION, call.id)
        return "not asked"
    asked = questions.question(
        AskedKind.QUESTION,
        call.summary,
        f"s{step.step}-{index}",
        options=call.options,
        source=call.source,
    )
    decision = await asking.ask(record, asked, moot=record.is_steered)
    if decision is None:
        record.note(PROMPTED, call.id)
        return "prompted"
    answer = decision.text or ("Yes." if decision.approved else "No.")
    refusal = "" if decision.approved else "The person does not agree. "
    text = f"{refusal}The person's answer: {answer}"[:ANSWER_CHARACTERS]
    record.tell(FromWorkflow(text=text, call_id=call.id))
    return answer
