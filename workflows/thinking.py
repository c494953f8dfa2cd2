"""Asks the model for its next step: makes the transcript fit, falls back on other models."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import calls, opening
from workflows.contract.failures import Failure
from workflows.contract.model import CompactTranscript, ModelCall, ModelStep, WorkingFacts
from workflows.contract.session import Phase
from workflows.policy import context
from workflows.policy.context import Relief
from workflows.record import SessionRecord

RELIEFS_LIMIT = 3
"""Attempts to shorten one request; the provider refuses for another reason when they are used."""

_ANOTHER_MODEL_MAY = frozenset(
    {
        Failure.MODEL_FATAL,
        Failure.MODEL_REFUSED,
        Failure.MODEL_RETRY,
        Failure.MODEL_WAIT,
        Failure.MODEL_COMPACT,
    }
)


async def next_step(record: SessionRecord) -> ModelStep:
    """Take one step of the model into the session.

    Raises:
        InterruptedCallError: a person stopped it.
        ActivityError: no model of the session's list answers.
    """
    record.take_steering()
    await _relieve_early(record)
    record.update_turn(step=record.turn.step + 1)
    record.update(steps=record.state.steps + 1)
    step, told = await _ask(record)
    state = record.state
    record.update(
        head=step.head,
        # A prompt may have steered meanwhile: only what was sent is no longer pending.
        pending=state.pending[told:],
        usage=state.usage.plus(step.usage),
        context_tokens=step.usage.input_tokens,
        context_limit=step.context_limit,
    )
    return step


async def _ask(record: SessionRecord) -> tuple[ModelStep, int]:
    """Return the step, and how many pending messages it was told."""
    reliefs, was_compacted = 0, False
    while True:
        pending, model = record.state.pending, record.model
        handle = calls.step(_call(record), has_fallback=_fallback(record) is not None)
        try:
            step = await calls.interruptible(handle, lambda: record.interrupted)
        except ActivityError as error:
            if record.model != model:
                continue  # a person named another one meanwhile
            if _is_overflow(error) and reliefs < RELIEFS_LIMIT:
                reliefs += 1
                was_compacted = await _shorten(record, was_compacted=was_compacted)
            elif not _fall_back(record, error):
                raise
        else:
            record.update(lost_work=False)
            return step, len(pending)


async def _shorten(record: SessionRecord, *, was_compacted: bool) -> bool:
    """Make the request shorter that was too long; tell whether the transcript was summed up."""
    state = record.state
    relief = context.after_overflow(state.head.messages, state.blanked, was_compacted=was_compacted)
    try:
        await _relieve(record, relief)
    except ActivityError as error:
        if not _fall_back(record, error):
            raise
    return was_compacted or relief is Relief.COMPACT


def _call(record: SessionRecord) -> ModelCall:
    state = record.state
    return ModelCall(
        session=record.session,
        turn=record.turn.number,
        step=state.steps,
        model=record.model,
        facts=facts(record),
        head=state.head,
        new=state.pending,
        blanked=state.blanked,
        held_commands=_held_commands(record),
    )


def _held_commands(record: SessionRecord) -> tuple[str, ...]:
    plan = record.state.plan
    demanded = plan.approve_commands if plan is not None else ()
    return (*record.options.approvals.commands, *demanded)


def facts(record: SessionRecord) -> WorkingFacts:
    """Return what the system prompt says of the place the model works in."""
    plan = record.state.plan
    return WorkingFacts(
        repository=record.options.repository.url[-500:],
        base=record.options.repository.base,
        workspace=record.binding.workspace,
        checks=tuple(check.command for check in plan.checks) if plan is not None else (),
        instructions=plan.instructions if plan is not None else None,
        instructions_in=plan.instructions_in if plan is not None else (),
    )


async def _relieve_early(record: SessionRecord) -> None:
    """Make the next request shorter before it has to be; it may still fit if that fails."""
    state = record.state
    relief = context.due(
        state.context_tokens, state.context_limit, state.head.messages, state.blanked
    )
    try:
        await _relieve(record, relief)
    except ActivityError as error:
        workflow.logger.warning("compaction.failed", extra={"failure": opening.failure_name(error)})


def _is_overflow(error: ActivityError) -> bool:
    return opening.failure_type(error) == Failure.MODEL_COMPACT


async def _relieve(record: SessionRecord, relief: Relief) -> None:
    """Make the next request shorter."""
    state = record.state
    match relief:
        case Relief.NONE:
            return
        case Relief.BLANK:
            record.update(blanked=context.blankable(state.head.messages), context_tokens=0)
        case Relief.COMPACT:
            await _compact(record)
        case Relief.BLANK_ALL:
            record.update(blanked=state.head.messages + len(state.pending), context_tokens=0)


async def _compact(record: SessionRecord) -> None:
    record.show(Phase.WORKING, "summing the transcript up")
    handle = calls.compact(
        CompactTranscript(
            session=record.session,
            turn=record.turn.number,
            step=record.state.steps,
            model=record.model,
            facts=facts(record),
            head=record.state.head,
        )
    )
    shorter = await calls.interruptible(handle, lambda: record.interrupted)
    record.update(
        head=shorter.head,
        blanked=0,
        context_tokens=0,
        usage=record.state.usage.plus(shorter.usage),
    )


def _fallback(record: SessionRecord) -> str | None:
    """Return the model to ask when the present one cannot be."""
    following = record.options.fallbacks[record.turn.fallback :]
    return following[0] if following else None


def _fall_back(record: SessionRecord, error: ActivityError) -> bool:
    """Go on with the next model of the list, for the rest of the turn; false when there is none."""
    other = _fallback(record)
    kind = opening.failure_type(error)
    # Without a type the worker was lost or too slow, as often as it may be.
    if other is None or not (kind is None or kind in _ANOTHER_MODEL_MAY):
        return False
    workflow.logger.warning("model.replaced", extra={"failure": opening.failure_name(error)})
    before = record.model
    record.update_turn(fallback=record.turn.fallback + 1)
    record.show(Phase.WORKING, f"asking {other}, because {before} cannot be asked")
    return True
