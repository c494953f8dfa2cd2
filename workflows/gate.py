"""The gate: judges the work as it would be proposed, in a fresh sandbox of nothing else.

What a session's own sandbox holds besides the proposed files, such as installed packages,
ignored files and running programs, takes no part.
"""

from temporalio import workflow

from workflows import baseline, calls, evidence, opening
from workflows.contract.base import CommandId
from workflows.contract.checks import CheckFacts, CheckResult, FixFiles
from workflows.contract.judging import (
    Examination,
    Examine,
    Judgement,
    JudgeWork,
    Verdict,
    VerdictGiven,
)
from workflows.contract.sandbox import (
    WorkBundle,
)
from workflows.contract.session import Phase
from workflows.policy import verdict as rules
from workflows.record import Judged, SessionRecord

SHOWN_BYTES = 240


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
    work = await opening.export(record, f"export-t{record.turn.number}-{round_}")
    plan = record.state.plan
    if work.store_key is None:
        return _told(record, Judged(work, Verdict.UNCHANGED))
    if plan is None or not plan.checks:
        return _told(record, Judged(work, Verdict.UNCHECKED))
    if _is_refused_already(record, work):
        return Judged(work, Verdict.RED)
    record.update_gate(rounds=round_)
    base = await baseline.ready(record)
    examination = await _examine(record, work)
    runs = await evidence.gather(record, work, examination)
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
    found = await calls.judge(request, record.binding)
    if found.suspects:
        found = await _judge_suspects(record, request, found)
    verdict = rules.verdict_of(found, plan, base)
    record.update_gate(report=found.report)
    return _told(record, Judged(work, verdict, runs.results, found))


def _is_refused_already(record: SessionRecord, work: WorkBundle) -> bool:
    """The same files get no second chance to pass by luck."""
    given = record.state.verdict
    return given is not None and given.tree == work.tree and given.verdict is Verdict.RED


def _told(record: SessionRecord, judged: Judged) -> Judged:
    """Remember the verdict and show it."""
    found = judged.judgement
    given = VerdictGiven(
        verdict=judged.verdict, round=record.turn.gate.rounds, tree=judged.work.tree
    )
    if found is not None:
        given = given.model_copy(
            update={
                "counts": found.counts,
                "tests": found.tests,
                "tests_at_base": found.tests_at_base,
                "shown": tuple(_cut(line) for line in found.shown),
                "why": rules.explain(judged.verdict, found),
            }
        )
    record.update(verdict=given, checks=tuple(_line(each) for each in judged.results))
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
    return await calls.examine(
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


async def _judge_suspects(record: SessionRecord, request: JudgeWork, found: Judgement) -> Judgement:
    """Run suspected tests alone, with the work and, if they pass so, at the base commit."""
    alone, at_base = await evidence.alone(record, request.plan, request.work, found.suspects)
    if not at_base:
        return found
    return await calls.judge(
        request.model_copy(update={"alone": _facts(alone), "alone_at_base": _facts(at_base)}),
        record.binding,
    )


async def _fix(record: SessionRecord, found: Judgement) -> bool:
    """Let the fixers mend what they can; false when they changed nothing."""
    plan = record.state.plan
    assert plan is not None
    record.show(Phase.CHECKING, "mending what the checks can mend themselves")
    turn = record.turn
    fixed = await opening.in_sandbox(
        record,
        lambda: calls.fix_files(
            FixFiles(
                session=record.session,
                turn=turn.number,
                binding=record.binding,
                command_id=CommandId(
                    f"fix-t{turn.number}-{turn.gate.rounds}-g{record.binding.generation}"
                ),
                plan=plan,
                files=found.files,
            )
        ),
    )
    if fixed.changed:
        names = ", ".join(fixed.changed)
        record.note(f"The checks' own fixers changed these files; view them anew: {names}")
        workflow.logger.info("files.fixed", extra={"files": len(fixed.changed)})
    return bool(fixed.changed)


def _facts(results: tuple[CheckResult, ...]) -> tuple[CheckFacts, ...]:
    return tuple(result.facts() for result in results)
