"""Works on one prompt: asks the model for a step, carries it out, and so on until an end.

The turn can stop before any step and go on in another run of the workflow, because all it knows
stands in the session's record.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import asking, baseline, calls, opening, thinking, tools
from workflows.calls import InterruptedCallError
from workflows.contract.asking import AskedKind
from workflows.contract.base import CommandId
from workflows.contract.checks import QuickCheck
from workflows.contract.model import ModelStep
from workflows.contract.session import Phase, StopReason, TurnEnd
from workflows.contract.transcript import FromNode
from workflows.policy import budget, questions, renewal, stuck
from workflows.policy.verdict import Progress
from workflows.record import SessionRecord

MAX_BAD_STEPS = 3
"""Steps in a row of unusable calls after which the turn has failed."""

IN_CIRCLES = (
    "You have asked for the same several times and got the same. Try something else, or ask the "
    "person; the turn is ended if this goes on."
)


async def work(record: SessionRecord) -> TurnEnd | None:
    """Run steps until the turn ends; None when the session should go on in a new run first."""
    try:
        await opening.ensure_open(record)
        baseline.begin(record)
        record.show(Phase.WORKING, "asking the model")
        while True:
            end = await _end_before_step(record)
            if end is not None:
                return end
            if is_renewal_due():
                # Two runs must not look for the baseline in one sandbox.
                await baseline.settle(record)
                if record.interrupted:  # a new run would not know of it
                    return record.interrupted_end()
                return None
            end = await _take_step(record)
            if end is not None:
                return end
    except InterruptedCallError:
        return record.interrupted_end()


def is_renewal_due() -> bool:
    """Tell whether the history has grown so long that a new run should go on."""
    info = workflow.info()
    return renewal.due_between_steps(
        info.get_current_history_length(), info.get_current_history_size()
    )


async def _end_before_step(record: SessionRecord) -> TurnEnd | None:
    """Return why no further step may be taken; a spent budget is put to a person."""
    while True:
        if record.interrupted:
            return record.interrupted_end()
        now = record.now()
        spent = _spent(record, now)
        if spent is None:
            return None
        end = await _ask_for_more(record, spent, now)
        if end is not None:
            return end


async def _ask_for_more(record: SessionRecord, spent: StopReason, now: float) -> TurnEnd | None:
    limits, state = record.options.budget, record.state
    why = budget.explain(spent, state, limits)
    granted = f"{record.turn.extra_steps} {record.turn.extra_minutes} {state.extra_tokens}"
    asked = questions.question(
        AskedKind.BUDGET,
        f"{why}. May it use as much again? Or set another budget.",
        f"turn {record.turn.number} step {record.turn.step}",
        f"{granted} {state.extra_cost_usd}",
        subject=spent,
    )
    # By the clock of before: the waiting is counted as such only when it is over.
    decision = await asking.ask(record, asked, moot=lambda: _spent(record, now) is None)
    if decision is not None and not decision.approved:
        return record.end(spent, f"{why}; send a prompt to go on")
    if decision is not None:
        record.state = budget.raised(spent, record.state, record.now())
    return None


def _spent(record: SessionRecord, now: float) -> StopReason | None:
    return budget.spent(record.state, record.turn, record.options.budget, now)


async def _take_step(record: SessionRecord) -> TurnEnd | None:
    step = await thinking.next_step(record)
    record.show(Phase.WORKING, "; ".join(f"{call.name}: {call.summary}" for call in step.calls))
    for refused in step.refused:
        record.note(refused.reason, refused.id)
    if not step.calls and not step.refused:
        # A model that only talks means that it is done.
        end = await tools.finish(record, step.text, None)
        return end or _count(record, step, [tools.judged_tree(record)])
    end, observed = await tools.carry_out(record, step)
    if end is not None:
        return end
    await _look_at_edits(record)
    return _count(record, step, observed)


async def _look_at_edits(record: SessionRecord) -> None:
    """Tell the model at once what its edits broke, as far as that takes seconds to see."""
    state, edited = record.state, record.turn.gate.edited
    plan = state.plan
    if not edited or plan is None:
        return
    record.update_gate(edited=())
    request = QuickCheck(
        session=record.session,
        turn=record.turn.number,
        step=state.steps,
        binding=record.binding,
        command_id=CommandId(f"quick-s{state.steps}-g{record.binding.generation}"),
        plan=plan,
        baseline=baseline.known(record),
        files=edited,
        told=record.turn.gate.told,
    )
    try:
        result = await calls.quick_check(request)
    except ActivityError as error:
        # The gate will look again, at everything.
        workflow.logger.warning("quick.failed", extra={"failure": opening.failure_name(error)})
        return
    record.update_gate(told=result.told)
    if result.message is not None:
        record.tell(FromNode(sha256=result.message))


def _count(record: SessionRecord, step: ModelStep, observed: list[str]) -> TurnEnd | None:
    """Return the end of a turn that only repeats itself, or only calls what cannot be called."""
    bad = 0 if step.calls or not step.refused else record.turn.bad_steps + 1
    asked = [f"{call.name} {call.summary} {call.source}" for call in step.calls] or [step.text]
    recent = stuck.remember(record.turn.recent, *asked, *observed)
    record.update_turn(bad_steps=bad, recent=recent)
    if bad >= MAX_BAD_STEPS:
        reason = step.refused[0].reason if step.refused else ""
        said = f"the model asked {bad} times for unusable calls: {reason}"
        return record.end(StopReason.FAILED, said)
    match stuck.assess(recent):
        case Progress.STUCK:
            said = "the model went round in circles: it asked for the same again and again"
            return record.end(StopReason.STUCK, said)
        case Progress.NUDGE:
            record.note(IN_CIRCLES)
        case Progress.GOING_ON:
            pass
    return None
