"""What becomes of a model's wish to finish: accepted, refused with findings, or put to a person."""

from workflows import asking, gate, opening
from workflows.calls import InterruptedCallError
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
LOST = "Not judged: the sandbox was lost with its files; see the message about it."
STOPPED = "Interrupted before it was accepted."
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
    try:
        judged = await gate.judge(record, call_id)
    except opening.WorkLostError:
        record.note(LOST, call_id)
        _go_on(record)
        return None
    except InterruptedCallError:
        record.note(STOPPED, call_id)
        raise
    record.judged = judged._replace(summary=summary)
    match judged.verdict:
        case Verdict.RED:
            return await _refuse(record, judged, summary, call_id)
        case Verdict.NO_WORSE if not record.turn.gate.remaining_told:
            _tell(record, judged, call_id)
            _go_on(record)
            return None
        case _:
            record.note(ACCEPTED, call_id)
            return record.end(StopReason.FINISHED, summary)


async def run_checks(record: SessionRecord, call_id: str) -> None:
    """Judge the work for the model, without ending anything."""
    try:
        judged = await gate.judge(record, call_id)
    except opening.WorkLostError:
        record.note(LOST, call_id)
        return
    record.judged = judged
    if judged.judgement is None and judged.verdict is not Verdict.RED:
        record.note(f"Nothing new to judge; the verdict: {judged.verdict}.", call_id)
    else:
        _tell(record, judged, call_id)


def _tell(record: SessionRecord, judged: Judged, call_id: str | None) -> None:
    """Tell what was found; what failed before is told once, in case the task is about it."""
    if judged.judgement is None:
        record.note(UNCHANGED_SINCE, call_id)
        return
    record.tell(FromNode(sha256=judged.judgement.message))
    if judged.verdict is Verdict.NO_WORSE:
        record.update_gate(remaining_told=True)


async def _refuse(
    record: SessionRecord, judged: Judged, summary: str, call_id: str | None
) -> TurnEnd | None:
    turn = record.turn.gate
    if judged.judgement is None and turn.began_tree == judged.work.tree:
        # It was told once, and nothing of this turn is red: nothing is proposed either.
        record.judged = None
        record.note(ACCEPTED, call_id)
        return record.end(StopReason.FINISHED, summary)
    _tell(record, judged, call_id)
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
    place = f"turn {record.turn.number} round {record.turn.gate.rounds}"
    subject = f"tree {judged.work.tree}"
    asked = questions.question(AskedKind.VERDICT, text, place, subject=subject)
    decision = await asking.ask(record, asked, moot=lambda: bool(record.state.queue))
    record.update_gate(refusals=0, blocking=())
    record.heed_person()
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
