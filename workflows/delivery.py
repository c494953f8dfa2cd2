"""Delivers a finished turn: proposes the judged work, once a person agrees if they want to."""

from workflows import asking, calls, opening
from workflows.calls import InterruptedCallError
from workflows.contract.asking import AskedKind
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import Propose
from workflows.contract.session import Phase, PullRequestState, StopReason, TurnEnd
from workflows.policy import questions
from workflows.record import Judged, SessionRecord

CAPPED_TITLE = 72


async def deliver(record: SessionRecord, end: TurnEnd) -> TurnEnd:
    """Propose what the turn changed since the last proposal; nothing changed, nothing proposed.

    Returns how the turn ended after all: a person may refuse the proposal.

    Raises:
        InterruptedCallError: a person stopped it before anything was proposed.
    """
    judged, record.judged = record.judged, None
    if judged is None or _is_proposed(record, judged):
        return end
    if record.interrupted:
        raise InterruptedCallError
    refusal = await _refusal(record, judged)
    if refusal is not None:
        return record.end(StopReason.REJECTED, refusal)
    await _propose(record, judged)
    return end


async def _refusal(record: SessionRecord, judged: Judged) -> str | None:
    """Ask a person, if they are to be asked; return why they refuse."""
    plan, approvals = record.state.plan, record.options.approvals
    if not approvals.pull_request and not (plan is not None and plan.approve_pull_request):
        return None
    asked = questions.question(
        AskedKind.PULL_REQUEST,
        f"May this be proposed on {record.options.branch}? The checks say: {judged.verdict}.",
        subject=f"tree {judged.work.tree}",
    )
    decision = await asking.ask(record, asked)
    if decision is None or decision.approved:
        return None
    return decision.text or "a person refused the proposal"


async def _propose(record: SessionRecord, judged: Judged) -> None:
    record.show(Phase.PROPOSING, f"pushing {record.options.branch}")
    proposal, given = record.state.pull_request, record.state.verdict
    pull_request = await calls.propose(
        Propose(
            session=record.session,
            turn=record.turn.number,
            revision=1 if proposal is None else proposal.revision + 1,
            repository=record.options.repository,
            branch=record.options.branch,
            work=judged.work,
            parent=opening.base(record) if proposal is None else proposal.commit,
            expected=None if proposal is None else proposal.commit,
            title=_title(record, judged),
            body=judged.summary,
            checks=judged.results,
            verdict=judged.verdict,
            remarks=given.shown if given is not None else (),
            authored_at=int(record.turn.started_at),
        ),
        record.binding,
    )
    record.update(
        pull_request=PullRequestState(
            revision=pull_request.revision,
            commit=pull_request.commit,
            tree=judged.work.tree,
            passed=pull_request.passed,
            draft=pull_request.draft,
        )
    )


def _is_proposed(record: SessionRecord, judged: Judged) -> bool:
    proposal = record.state.pull_request
    if proposal is None:
        return judged.work.store_key is None  # nothing to propose
    if proposal.tree != judged.work.tree:
        return False
    return not proposal.draft or judged.verdict is not Verdict.GREEN


def _title(record: SessionRecord, judged: Judged) -> str:
    line = " ".join(judged.summary.split("\n", 1)[0].split()) or record.options.title
    return line if len(line) <= CAPPED_TITLE else line[: CAPPED_TITLE - 1].rstrip() + "…"
