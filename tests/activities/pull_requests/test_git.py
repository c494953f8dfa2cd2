"""A proposal is one branch and one record, however often and wherever it is interrupted."""

import asyncio
import os
from pathlib import Path

import pytest
from git import Repo
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.mirror import Mirrors
from activities.pull_requests import description
from activities.pull_requests.git import GitPullRequests
from runtime.store.base import Store
from tests.activities.pull_requests.proposals import BRANCH, request
from tests.activities.repositories import bundle_work, checkout, commit_files, make_origin, named
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.pull_request import Propose
from workflows.contract.sandbox import WorkBundle


@pytest.fixture
def pulls(mirrors: Mirrors, store: Store) -> GitPullRequests:
    return GitPullRequests(mirrors, store)


@pytest.fixture
async def proposal(mirrors: Mirrors, store: Store, origin: Repo, tmp_path: Path) -> Propose:
    """A request whose work stands in the store."""
    base = await mirrors.fetch(named(origin))
    await mirrors.seed(named(origin), base, BRANCH, tmp_path / "workspace/.git")
    workspace = checkout(tmp_path / "workspace/.git")
    commit_files(workspace, {"new file": "1\n2\n", "README.md": "bye\n"})
    bundle, work = bundle_work(workspace, base)
    store.create("work/1", bundle)
    return request(named(origin), work)


async def commit_of(mirrors: Mirrors, proposal: Propose) -> CommitSha:
    return await mirrors.commit(
        proposal.repository,
        tree=proposal.work.tree,
        parent=proposal.parent,
        message=description.message(proposal),
        authored_at=proposal.authored_at,
    )


async def test_work_is_pushed_and_recorded(
    pulls: GitPullRequests, store: Store, origin: Repo, proposal: Propose
):
    """The record says what the branch holds, and the diff stands in the store."""
    made = await pulls.propose(proposal)
    assert origin.commit(BRANCH).hexsha == made.commit
    assert origin.commit(BRANCH).message == description.message(proposal)
    assert [(file.path, file.added, file.removed) for file in made.files] == [
        ("README.md", 1, 1),
        ("new file", 2, 0),
    ]
    assert (made.files_changed, made.added, made.removed, made.passed) == (2, 3, 1, True)
    assert b"+++ b/new file" in store.read(made.diff_key)
    assert made.merge_command == f"git -C {origin.working_dir} merge {BRANCH}"
    origin.git.merge(BRANCH)
    assert (Path(origin.working_dir) / "new file").read_text() == "1\n2\n"


async def test_a_repeat_returns_the_record(pulls: GitPullRequests, origin: Repo, proposal: Propose):
    """What was proposed stays proposed, though a person went on with the branch since."""
    first = await pulls.propose(proposal)
    origin.git.branch("--force", BRANCH, "main")
    assert await pulls.propose(proposal) == first
    assert origin.commit(BRANCH) == origin.commit("main")


async def test_two_at_once_make_one_proposal(
    pulls: GitPullRequests, store: Store, origin: Repo, proposal: Propose
):
    """A worker thought dead may still be at it."""
    made = await asyncio.gather(*(pulls.propose(proposal) for _ in range(4)))
    assert len({one.commit for one in made}) == 1
    assert origin.commit(BRANCH).hexsha == made[0].commit
    assert [head.name for head in origin.heads] == ["main", BRANCH]
    assert store.list("pulls/s1") == ["pulls/s1/1"]


@pytest.mark.parametrize("done", range(5))
async def test_a_killed_attempt_is_finished_by_the_next(
    pulls: GitPullRequests,
    mirrors: Mirrors,
    store: Store,
    proposal: Propose,
    done: int,
):
    """Wherever the first attempt ended, the second ends with the same commit and record."""
    repository = proposal.repository
    commit = CommitSha("")
    if done >= 1:
        await mirrors.take(repository, proposal.work, store.read("work/1"))
    if done >= 2:
        commit = await commit_of(mirrors, proposal)
    if done >= 3:
        await mirrors.push(repository, BRANCH, commit, None)
    if done >= 4:
        diff = await mirrors.diff(repository, proposal.work.base, commit)
        store.create(f"diffs/s1/{commit}", diff)
    made = await pulls.propose(proposal)
    assert made.commit == await commit_of(mirrors, proposal)
    assert store.list("pulls/s1") == ["pulls/s1/1"]


async def test_a_lost_mirror_does_not_matter(
    pulls: GitPullRequests,
    mirrors: Mirrors,
    proposal: Propose,
    tmp_path: Path,
):
    """Another host, or this one after its mirrors were deleted, makes the same commit."""
    await mirrors.take(proposal.repository, proposal.work, (tmp_path / "store/work/1").read_bytes())
    commit = await commit_of(mirrors, proposal)
    (tmp_path / "home/mirrors").rename(tmp_path / "gone")
    assert (await pulls.propose(proposal)).commit == commit


async def test_a_second_revision_follows_the_first(
    pulls: GitPullRequests, origin: Repo, proposal: Propose
):
    """The branch grows; its diff is still against the base."""
    first = await pulls.propose(proposal)
    unchanged = proposal.work.model_copy(
        update={
            "tip": proposal.work.base,
            "tree": origin.commit("main").tree.hexsha,
            "store_key": None,
        }
    )
    second = await pulls.propose(request(proposal.repository, unchanged, first.commit, 2))
    assert [commit.hexsha for commit in origin.iter_commits(BRANCH)][:2] == [
        second.commit,
        first.commit,
    ]
    assert second.files_changed == 0


async def test_a_push_that_nobody_heard_of_is_no_stranger_s(
    pulls: GitPullRequests, store: Store, origin: Repo, proposal: Propose, tmp_path: Path
):
    """The store failed between push and record, and the turn with it: the next one proposes."""
    records = tmp_path / "store/diffs/s1"
    records.parent.mkdir(parents=True)
    records.write_text("no folder")
    with pytest.raises(OSError, match="diffs"):
        await pulls.propose(proposal)
    unheard = origin.commit(BRANCH).hexsha
    records.unlink()
    later = proposal.model_copy(update={"turn": 2, "authored_at": proposal.authored_at + 60})
    made = await pulls.propose(later)
    assert made.commit == origin.commit(BRANCH).hexsha != unheard
    assert (made.turn, made.revision) == (2, 1)
    assert store.list("pulls/s1") == ["pulls/s1/2"]


async def test_a_record_that_nobody_heard_of_is_no_answer_to_the_next_turn(
    pulls: GitPullRequests, origin: Repo, proposal: Propose
):
    """The workflow lost the answer, and counts the revision again: other work is proposed anew."""
    await pulls.propose(proposal)
    later = proposal.model_copy(update={"turn": 2, "title": "Say more"})
    made = await pulls.propose(later)
    assert (made.title, made.commit) == ("Say more", origin.commit(BRANCH).hexsha)


async def test_files_that_are_not_the_base_s_need_a_bundle(
    pulls: GitPullRequests, proposal: Propose
):
    """Work that is said to be the base's files, and names others, is not pushed."""
    await pulls.propose(proposal)
    lie = proposal.work.model_copy(update={"tip": proposal.work.base, "store_key": None})
    with pytest.raises(ApplicationError) as refused:
        await pulls.propose(proposal.model_copy(update={"turn": 2, "work": lie}))
    assert refused.value.type == Failure.GIT_TAMPERED


async def test_a_branch_moved_by_a_person_is_not_recorded(
    pulls: GitPullRequests, store: Store, origin: Repo, proposal: Propose
):
    """Nothing is overwritten and nothing is said to be proposed."""
    origin.git.branch(BRANCH, "main")
    with pytest.raises(ApplicationError) as refused:
        await pulls.propose(proposal)
    assert (refused.value.type, refused.value.non_retryable) == (Failure.BRANCH_MOVED, True)
    assert origin.commit(BRANCH) == origin.commit("main")
    assert store.list("pulls/s1") == []


async def test_a_branch_that_a_person_removed_is_made_anew(
    pulls: GitPullRequests, origin: Repo, proposal: Propose
):
    """As is usual once it is merged; the next revision follows the one before."""
    first = await pulls.propose(proposal)
    origin.git.branch("--delete", "--force", BRANCH)
    following = proposal.model_copy(
        update={"turn": 2, "revision": 2, "parent": first.commit, "expected": first.commit}
    )
    second = await pulls.propose(following)
    assert origin.commit(BRANCH).hexsha == second.commit
    assert origin.commit(BRANCH).parents[0].hexsha == first.commit


async def test_a_slow_push_is_known_to_be_alive(
    pulls: GitPullRequests, origin: Repo, proposal: Propose, tmp_path: Path
):
    """The remote takes it only once a heartbeat was sent: without any, Temporal starts another."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    hook = Path(origin.git_dir) / "hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\nread -r _ < {gate}\n")
    hook.chmod(0o755)
    descriptor = os.open(gate, os.O_RDWR)
    environment = ActivityEnvironment()

    def open_gate(*_: object) -> None:
        os.write(descriptor, b"\n")

    environment.on_heartbeat = open_gate
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            made = await environment.run(pulls.propose, proposal)
    finally:
        os.close(descriptor)
    assert origin.commit(BRANCH).hexsha == made.commit


@pytest.mark.parametrize("branch", ["main", ":main", "overnight/s2", "overnight/s1:main"])
async def test_a_session_pushes_its_own_branch_only(
    pulls: GitPullRequests, origin: Repo, proposal: Propose, branch: str
):
    """A request for another branch, even of another session, is refused before anything else."""
    with pytest.raises(ApplicationError, match="may not push"):
        await pulls.propose(proposal.model_copy(update={"branch": branch}))
    assert [head.name for head in origin.heads] == ["main"]


async def test_a_dishonest_bundle_is_not_pushed(
    pulls: GitPullRequests, store: Store, origin: Repo, proposal: Propose
):
    """The bundle's tree is what counts, not what is said of it."""
    store.create("work/2", b"# v2 git bundle\n")
    lie = proposal.work.model_copy(update={"store_key": "work/2"})
    with pytest.raises(ApplicationError) as refused:
        await pulls.propose(proposal.model_copy(update={"work": lie}))
    assert refused.value.type == Failure.GIT_TAMPERED
    assert [head.name for head in origin.heads] == ["main"]


async def test_a_folder_with_blanks_is_merged_by_its_command(
    pulls: GitPullRequests, mirrors: Mirrors, tmp_path: Path
):
    """The command is quoted for a shell."""
    origin = make_origin(tmp_path / "my 'code'")
    base = await mirrors.fetch(named(origin))
    tree = origin.head.commit.tree.hexsha
    work = WorkBundle(base=base, tip=base, tree=tree, store_key=None)
    made = await pulls.propose(request(named(origin), work))
    quoted = str(origin.working_dir).replace("'", "'\"'\"'")
    assert made.merge_command == f"git -C '{quoted}' merge {BRANCH}"
