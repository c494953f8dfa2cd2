"""Requests for proposals, for the tests of this folder."""

from workflows.contract.base import CommandId, CommitSha, SessionId
from workflows.contract.checks import CheckResult
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import Propose
from workflows.contract.sandbox import CommandOutcome, Repository, WorkBundle

SESSION = SessionId("s1")
BRANCH = "overnight/s1"


def check(name: str = "tests", *, passed: bool = True, command: str = "make test") -> CheckResult:
    """Build the result of a check."""
    return CheckResult(
        session=SESSION,
        turn=1,
        name=name,
        command=command,
        command_id=CommandId(name),
        passed=passed,
        outcome=CommandOutcome.EXITED,
        exit_code=0 if passed else 1,
        seconds=1.25,
        excerpt="",
    )


def request(
    repository: Repository, work: WorkBundle, expected: CommitSha | None = None, revision: int = 1
) -> Propose:
    """Build a request that follows `expected`, or the base."""
    return Propose(
        session=SESSION,
        turn=revision,
        revision=revision,
        repository=repository,
        branch=BRANCH,
        work=work,
        parent=expected or work.base,
        expected=expected,
        title="Say hello",
        body="For @everyone.",
        checks=(check(),),
        verdict=Verdict.GREEN,
        authored_at=1_700_000_000,
    )
