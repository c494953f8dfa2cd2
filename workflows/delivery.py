"""Delivers a finished turn: takes the work out, runs the checks, proposes a pull request."""

from workflows import calls, opening
from workflows.calls import InterruptedCallError
from workflows.contract.base import CommandId, CommitSha
from workflows.contract.checks import CheckResult, CheckSpec, RunCheck
from workflows.contract.pull_request import Propose
from workflows.contract.sandbox import (
    CommandOutcome,
    ExportWork,
    StopCommand,
    WorkBundle,
)
from workflows.contract.session import Phase, PullRequestState, TurnEnd
from workflows.record import SessionRecord

CAPPED_TITLE = 72


async def deliver(record: SessionRecord, end: TurnEnd) -> None:
    """Propose what the turn changed since the last proposal; nothing changed, nothing proposed.

    Raises:
        InterruptedCallError: a person stopped it before anything was proposed.
    """
    record.show(Phase.CHECKING, "taking the work out of the sandbox")
    work = await export(record, f"export-t{record.turn.number}")
    if work.store_key is None or _is_proposed(record, work):
        return
    results = await _check(record)
    if record.interrupted:
        raise InterruptedCallError
    record.show(Phase.PROPOSING, f"pushing {record.options.branch}")
    proposal = record.state.pull_request
    pull_request = await calls.propose(
        Propose(
            session=record.session,
            turn=record.turn.number,
            revision=1 if proposal is None else proposal.revision + 1,
            repository=record.options.repository,
            branch=record.options.branch,
            work=work,
            parent=_base(record) if proposal is None else proposal.commit,
            expected=None if proposal is None else proposal.commit,
            title=_title(record, end),
            body=end.summary,
            checks=results,
            authored_at=int(record.turn.started_at),
        ),
        record.binding,
    )
    record.update(
        pull_request=PullRequestState(
            revision=pull_request.revision,
            commit=pull_request.commit,
            tree=work.tree,
            passed=pull_request.passed,
        )
    )


async def export(record: SessionRecord, name: str) -> WorkBundle:
    """Take the work out and remember it as the session's checkpoint."""
    work = await opening.in_sandbox(
        record,
        lambda: calls.export_work(
            ExportWork(
                session=record.session,
                turn=record.state.turns,
                binding=record.binding,
                base=_base(record),
                # A command that was lost with its sandbox stays lost: ask the new one anew.
                command_id=CommandId(f"{name}-g{record.binding.generation}"),
            )
        ),
    )
    record.update(checkpoint=work)
    return work


async def _check(record: SessionRecord) -> tuple[CheckResult, ...]:
    plan = record.state.plan
    results: list[CheckResult] = []
    for check in plan.checks if plan is not None else ():
        record.show(Phase.CHECKING, check.command)
        results.append(await _run_check(record, check))
        record.update(
            checks=tuple(f"{each.name} {'passed' if each.passed else 'failed'}" for each in results)
        )
    return tuple(results)


async def _run_check(record: SessionRecord, check: CheckSpec) -> CheckResult:
    command_id = CommandId(f"check-t{record.turn.number}-{check.name}")
    request = RunCheck(
        session=record.session,
        turn=record.turn.number,
        binding=record.binding,
        command_id=command_id,
        check=check,
    )
    try:
        result = await calls.interruptible(calls.run_check(request), lambda: record.interrupted)
    except InterruptedCallError:
        await calls.stop_command(
            StopCommand(
                session=record.session,
                turn=record.turn.number,
                step=record.state.steps,
                binding=record.binding,
                command_id=command_id,
            )
        )
        raise
    if result.outcome is CommandOutcome.LOST:
        await opening.reopen(record)
    return result


def _is_proposed(record: SessionRecord, work: WorkBundle) -> bool:
    proposal = record.state.pull_request
    return proposal is not None and proposal.tree == work.tree


def _base(record: SessionRecord) -> CommitSha:
    assert record.state.base_commit is not None
    return record.state.base_commit


def _title(record: SessionRecord, end: TurnEnd) -> str:
    line = " ".join(end.summary.split("\n", 1)[0].split()) or record.options.title
    return line if len(line) <= CAPPED_TITLE else line[: CAPPED_TITLE - 1].rstrip() + "…"
