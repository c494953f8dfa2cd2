"""The gate: judges the work as it would be proposed, and says what is known of it.

How the checks are run for it is `evidence`; what a verdict leads to is `finishing`.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import baseline, calls, counting, evidence, opening
from workflows.calls import InterruptedCallError
from workflows.contract import metrics
from workflows.contract.base import CommandId
from workflows.contract.checks import Baseline, CheckFacts, CheckResult, FixFiles
from workflows.contract.judging import (
    Examination,
    Examine,
    Judgement,
    JudgeWork,
    Verdict,
    VerdictGiven,
)
from workflows.contract.sandbox import WorkBundle
from workflows.contract.session import Phase
from workflows.policy import verdict as rules
from workflows.record import Judged, SessionRecord

SHOWN_BYTES = 240
WHY_CHARACTERS = 300

_SETTLED = (Verdict.GREEN, Verdict.NO_WORSE)
"""What another run of the checks would say again; what could not be run may be, next time."""


async def judge(record: SessionRecord, call_id: str | None) -> Judged:
    """Judge the work as it is now; what the checks' own fixers can mend is mended first.

    Args:
        record: the session.
        call_id: the model's call that the judgement's message answers, if any.

    Raises:
        InterruptedCallError: a person stopped it.
    """
    judged = await _judge_once(record, call_id)
    found = judged.judgement
    if found is None or not found.fixable or not await _fix(record, found):
        return judged
    return await _judge_once(record, call_id)


async def _judge_once(record: SessionRecord, call_id: str | None) -> Judged:
    record.show(Phase.CHECKING, "taking the work out of the sandbox")
    round_ = record.turn.gate.rounds + 1
    # Before the export: its command runs once per name.
    record.update_gate(rounds=round_)
    work = await opening.export(record, f"export-t{record.turn.number}-{round_}")
    plan = record.state.plan
    if work.store_key is None:
        return _told(record, Judged(work, Verdict.UNCHANGED))
    if plan is None:
        return _told(record, Judged(work, Verdict.UNCHECKED))
    known = _known(record, work)
    if known is not None:
        return known
    base = await baseline.ready(record) if plan.checks else _empty_baseline(record)
    # Without checks too: some files may not be changed, and people see the diff it keeps.
    examination = await _examine(record, work)
    if not (plan.checks or examination.findings):
        return _told(record, Judged(work, Verdict.UNCHECKED))
    runs = (
        await evidence.gather(record, work, examination) if plan.checks else evidence.Evidence(())
    )
    request = JudgeWork(
        session=record.session,
        turn=record.turn.number,
        round=round_,
        prompt=record.turn.prompt.id,
        repository=record.options.repository,
        base=opening.base(record),
        work=work,
        plan=plan,
        baseline=base,
        examination=examination,
        results=_facts(runs.results),
        original=_facts(runs.original),
        previous=record.turn.gate.report,
        call_id=call_id,
    )
    found = await _say(record, request)
    if found.suspects:
        found = await _judge_suspects(record, request, found)
    verdict = rules.verdict_of(found, plan, base)
    is_final = rules.is_final(verdict, found, plan, base)
    record.update_gate(report=found.report, red_tree=work.tree if is_final else "")
    return _told(record, Judged(work, verdict, runs.results, found))


def _empty_baseline(record: SessionRecord) -> Baseline:
    """Return the baseline of no checks."""
    return Baseline(session=record.session, commit=opening.base(record), cached=True, seconds=0.0)


def _known(record: SessionRecord, work: WorkBundle) -> Judged | None:
    """Return what is known of these files: red ones get no second chance to pass by luck."""
    before = record.judged
    same = before if before is not None and before.work.tree == work.tree else None
    if record.turn.gate.red_tree == work.tree:
        return Judged(work, Verdict.RED, same.results if same is not None else ())
    if same is None or same.verdict not in _SETTLED:
        return None
    return same._replace(judgement=None)


def _told(record: SessionRecord, judged: Judged) -> Judged:
    """Remember the verdict and show it."""
    found, round_, tree = judged.judgement, record.turn.gate.rounds, judged.work.tree
    given = VerdictGiven(verdict=judged.verdict, round=round_, tree=tree)
    if found is not None:
        given = VerdictGiven(
            verdict=judged.verdict,
            round=round_,
            tree=tree,
            counts=found.counts,
            tests=found.tests,
            tests_at_base=found.tests_at_base,
            shown=tuple(_cut(line) for line in found.shown),
            why=rules.explain(judged.verdict, found)[:WHY_CHARACTERS],
        )
    record.update(verdict=given, checks=tuple(_line(each) for each in judged.results))
    counting.count(metrics.JUDGEMENTS, verdict=judged.verdict)
    record.show(Phase.CHECKING, f"verdict: {judged.verdict}")
    return judged


def _cut(line: str) -> str:
    """Bound what the state carries from run to run, in bytes."""
    return line.encode()[:SHOWN_BYTES].decode(errors="ignore")


def _line(result: CheckResult) -> str:
    if not result.runnable:
        return f"{result.name} could not be run"
    return f"{result.name} {'passed' if result.passed else 'failed'}"


async def _examine(record: SessionRecord, work: WorkBundle) -> Examination:
    plan = record.state.plan
    assert plan is not None
    handle = calls.examine(
        Examine(
            session=record.session,
            turn=record.turn.number,
            repository=record.options.repository,
            base=opening.base(record),
            work=work,
            plan=plan,
        ),
        record.binding,
    )
    return await calls.interruptible(handle, lambda: record.interrupted)


async def _say(record: SessionRecord, request: JudgeWork) -> Judgement:
    handle = calls.judge(request, record.binding)
    return await calls.interruptible(handle, lambda: record.interrupted)


async def _judge_suspects(record: SessionRecord, request: JudgeWork, found: Judgement) -> Judgement:
    """Run suspected tests alone, with the work and, if they pass so, at the base commit."""
    alone, at_base = await evidence.alone(record, request.plan, request.work, found.suspects)
    if not at_base:
        return found
    further = {"alone": _facts(alone), "alone_at_base": _facts(at_base)}
    return await _say(record, request.model_copy(update=further))


async def _fix(record: SessionRecord, found: Judgement) -> bool:
    """Let the fixers mend what they can; false when they changed nothing."""
    plan = record.state.plan
    assert plan is not None
    record.show(Phase.CHECKING, "mending what the checks can mend themselves")
    turn = record.turn
    request = FixFiles(
        session=record.session,
        turn=turn.number,
        binding=record.binding,
        command_id=CommandId(f"fix-t{turn.number}-{turn.gate.rounds}-g{record.binding.generation}"),
        plan=plan,
        files=found.files,
    )
    try:
        handle = calls.fix_files(request)
        fixed = await calls.interruptible(handle, lambda: record.interrupted)
    except InterruptedCallError:
        # Else it would change files under whatever comes next.
        await evidence.stop(record, request.binding, request.command_id)
        raise
    except ActivityError as error:
        # Only a convenience: the model can mend it too.
        workflow.logger.warning("fix.failed", extra={"failure": opening.failure_name(error)})
        return False
    if fixed.changed:
        names = ", ".join(fixed.changed)
        record.note(f"The checks' own fixers changed these files; view them anew: {names}")
    return bool(fixed.changed)


def _facts(results: tuple[CheckResult, ...]) -> tuple[CheckFacts, ...]:
    return tuple(result.facts() for result in results)
