"""Proposals as branches of the repository itself, with a record in the store; needs no forge."""

import shlex

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import permanent
from activities.mirror import Mirrors
from activities.progress import beating
from activities.pull_requests import description
from runtime import telemetry
from runtime.store.base import MissingObjectError, Store
from workflows.contract import metrics
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import Propose, PullRequest
from workflows.ports import PullRequests

log = structlog.get_logger()

_FILES_SHOWN = 50
_READY = (Verdict.GREEN, Verdict.UNCHECKED)
"""Verdicts of work that is not a draft."""


class GitPullRequests(PullRequests):
    """Pushes one commit per revision and records it.

    Everything follows from the request alone, so a repeat after a kill at any instant finds what
    stands (record, objects, commit, branch) or does it again with the same outcome.
    """

    def __init__(self, mirrors: Mirrors, store: Store) -> None:
        self._mirrors = mirrors
        self._store = store

    @activity.defn(name="pull_requests.propose")
    async def propose(self, request: Propose) -> PullRequest:
        """Push the work's files as one commit on `parent`, then record it with its diff.

        One record per turn, since a turn delivers once.

        Raises:
            ApplicationError: `branch_moved`, `git_tampered`, or `repository` when the remote
                refuses; nothing is overwritten then.
        """
        async with beating():
            return await self._propose(request)

    async def _propose(self, request: Propose) -> PullRequest:
        record = f"pulls/{request.session}/{request.turn}"
        try:
            return PullRequest.model_validate_json(await self._store.read_async(record))
        except MissingObjectError:
            pass
        commit = await self._commit(request)
        await self._push(request, commit)
        proposal = await self._describe(request, commit)
        await self._store.create_async(record, proposal.model_dump_json().encode())
        log.info("work.proposed", revision=proposal.revision, verdict=proposal.verdict)
        telemetry.count(metrics.PULL_REQUESTS, kind="draft" if proposal.draft else "ready")
        return proposal

    async def _commit(self, request: Propose) -> CommitSha:
        if request.branch != f"overnight/{request.session}":
            message = f"the session {request.session!r} may not push {request.branch!r}"
            raise permanent(Failure.REPOSITORY, message)
        key = request.work.store_key
        bundle = None if key is None else await self._store.read_async(key)
        await self._mirrors.take(request.repository, request.work, bundle)
        return await self._mirrors.commit(
            request.repository,
            tree=request.work.tree,
            parent=request.parent,
            message=description.message(request),
            authored_at=request.authored_at,
        )

    async def _push(self, request: Propose, commit: CommitSha) -> None:
        """Push over what the workflow knows of, or over what this session pushed without its word.

        A push whose record could not be written leaves a commit that the workflow never hears of.
        A branch that a person removed, as is usual once it is merged, is made anew.
        """
        repository, branch = request.repository, request.branch
        await self._store.create_async(_pushed_key(request, commit), commit.encode())
        try:
            await self._mirrors.push(repository, branch, commit, request.expected)
        except ApplicationError as error:
            if error.type != Failure.BRANCH_MOVED:
                raise
            there = await self._mirrors.tip(repository, branch)
            if there is not None and not await self._has_pushed(request, there):
                raise
            await self._mirrors.push(repository, branch, commit, there)

    async def _has_pushed(self, request: Propose, commit: CommitSha) -> bool:
        try:
            await self._store.read_async(_pushed_key(request, commit))
        except MissingObjectError:
            return False
        return True

    async def _describe(self, request: Propose, commit: CommitSha) -> PullRequest:
        base = request.work.base
        diff = await self._mirrors.diff(request.repository, base, commit)
        files = await self._mirrors.changes(request.repository, base, commit)
        url = self._mirrors.check_url(request.repository.url)
        diff_key = f"diffs/{request.session}/{commit}"
        await self._store.create_async(diff_key, diff)
        return PullRequest(
            session=request.session,
            turn=request.turn,
            revision=request.revision,
            repository=request.repository,
            branch=request.branch,
            commit=commit,
            title=description.title(request),
            files=tuple(files[:_FILES_SHOWN]),
            files_changed=len(files),
            added=sum(file.added for file in files),
            removed=sum(file.removed for file in files),
            passed=None
            if request.verdict is Verdict.UNCHECKED
            else request.verdict is Verdict.GREEN,
            verdict=request.verdict,
            draft=request.verdict not in _READY,
            checks=request.checks,
            diff_key=diff_key,
            merge_command=_merge_command(url, request.branch),
        )


def _pushed_key(request: Propose, commit: CommitSha) -> str:
    return f"pushes/{request.session}/{commit}"


def _merge_command(url: str, branch: str) -> str:
    """Return what a person types to merge the branch."""
    if url.startswith("/"):
        return f"git -C {shlex.quote(url)} merge {shlex.quote(branch)}"
    return f"git fetch {shlex.quote(url)} {shlex.quote(branch)} && git merge FETCH_HEAD"
