"""What becomes of a model's wish to finish: accepted, refused with findings, or put to a person."""

from workflows import asking, gate
from workflows.contract.asking import AskedKind
from workflows.contract.judging import Verdict
from workflows.contract.session import Phase, PromptMode, StopReason, TurnEnd
from workflows.contract.transcript import FromNode
from workflows.policy import questions
from workflows.policy import verdict as rules
from workflows.policy.verdict import Progress
from workflows.record import Judged, SessionRecord

ACCEPTED = "Accepted."
UNCHANGED_SINCE = (
    "Refused again: no file has changed since the last refusal, whose findings still stand."
)
NUDGE = (
    "These are the same findings as in an earlier round: what you tried does not mend them. Look "
    "at the cause anew, or ask the person."
)
QUESTION = (
    "The model gets no further: findings stand. Propose the work as a draft all the same? Or send "
    "a prompt that helps."
)
HISTORY = 20


async def finish(record: SessionRecord, summary: str, call_id: str | None) -> TurnEnd | None:
    """Judge the work; return the turn's end, or none when the model has to go on.

    Raises:
        InterruptedCallError: a person stopped it.
    """
    judged = await gate.judge(record, call_id)
    record.judged = judged
    match judged.verdict:
        case Verdict.RED:
            return await _refuse(record, judged, summary, call_id)
        case Verdict.NO_WORSE if _is_to_be_told(record, judged):
            _tell(record, judged, call_id)
            _go_on(record)
            return None
        case _:
            record.note(ACCEPTED, call_id)
            return record.end(StopReason.FINISHED, summary)


async def run_checks(record: SessionRecord, call_id: str) -> None:
    """Judge the work for the model, without ending anything."""
    judged = await gate.judge(record, call_id)
    if judged.judgement is None and judged.verdict is not Verdict.RED:
        record.note(f"There is nothing to check: {judged.verdict}.", call_id)
    else:
        _tell(record, judged, call_id)
    record.show(Phase.WORKING)


def _is_to_be_told(record: SessionRecord, judged: Judged) -> bool:
    """What failed before and still does is shown once: it may be what the task is about."""
    found = judged.judgement
    if found is None or not found.remaining or found.remaining == record.turn.gate.remaining:
        return False
    record.update_gate(remaining=found.remaining)
    return True


def _tell(record: SessionRecord, judged: Judged, call_id: str | None) -> None:
    if judged.judgement is None:
        record.note(UNCHANGED_SINCE, call_id)
    else:
        record.tell(FromNode(sha256=judged.judgement.message))


async def _refuse(
    record: SessionRecord, judged: Judged, summary: str, call_id: str | None
) -> TurnEnd | None:
    _tell(record, judged, call_id)
    turn = record.turn.gate
    known = turn.blocking[-1] if turn.blocking else ""
    blocking = known if judged.judgement is None else judged.judgement.blocking
    refusals = turn.refusals + 1
    history = (*turn.blocking, blocking)[-HISTORY:]
    record.update_gate(blocking=history, refusals=refusals)
    progress = rules.assess(history, refusals)
    if progress is Progress.STUCK:
        return await _ask(record, judged, summary)
    if progress is Progress.NUDGE:
        record.note(NUDGE)
    _go_on(record)
    return None


def _go_on(record: SessionRecord) -> None:
    record.show(Phase.WORKING, "asking the model")


async def _ask(record: SessionRecord, judged: Judged, summary: str) -> TurnEnd | None:
    """Put it to a person; what they send meanwhile is an answer too."""
    given = record.state.verdict
    shown = given.shown[:3] if given is not None else ()
    text = "\n".join((QUESTION, *(f"- {line}" for line in shown)))
    asked = questions.question(AskedKind.VERDICT, text, subject=f"tree {judged.work.tree}")
    decision = await asking.ask(record, asked, moot=lambda: bool(record.state.queue))
    record.update_gate(refusals=0, blocking=())
    if decision is None:
        return _after_prompt(record)
    if decision.approved:
        return record.end(StopReason.FINISHED, summary)
    return record.end(StopReason.CHECKS_FAILED, _why(record, decision.text))


def _after_prompt(record: SessionRecord) -> TurnEnd | None:
    """A steering prompt helps this turn; any other one is for the next."""
    if any(prompt.mode is PromptMode.STEER for prompt in record.state.queue):
        _go_on(record)
        return None
    return record.end(StopReason.CHECKS_FAILED, _why(record, ""))


def _why(record: SessionRecord, said: str) -> str:
    given = record.state.verdict
    return said or (given.why if given is not None else "") or "findings stand"
