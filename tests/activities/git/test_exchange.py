"""Work comes out of a hostile sandbox as objects only, and goes to one branch only."""

import re
from pathlib import Path

import pytest
from git import Repo
from temporalio.exceptions import ApplicationError

from activities.git.exchange import BUNDLE_LIMIT_BYTES
from activities.mirror import Mirrors
from runtime.settings import Settings
from tests.activities.repositories import Work, bundle_work, checkout, commit_files, named
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure

BRANCH = "overnight/s1"
OTHER = CommitSha("1" * 40)


@pytest.fixture
async def workspace(mirrors: Mirrors, origin: Repo, tmp_path: Path) -> Repo:
    """A sandbox's repository, seeded with the origin's tip and checked out."""
    commit = await mirrors.fetch(named(origin))
    await mirrors.seed(named(origin), commit, BRANCH, tmp_path / "workspace/.git")
    return checkout(tmp_path / "workspace/.git")


async def bring(mirrors: Mirrors, origin: Repo, work: Work) -> CommitSha:
    """Take the work and make its commit, as a proposal does."""
    await mirrors.take(named(origin), work.said, work.bundle)
    return await mirrors.commit(
        named(origin),
        tree=work.said.tree,
        parent=work.said.base,
        message="Say hello\n",
        authored_at=1_700_000_000,
    )


async def proposed(mirrors: Mirrors, origin: Repo, workspace: Repo) -> CommitSha:
    """Make some work and bring it."""
    base = CommitSha(workspace.head.commit.hexsha)
    commit_files(workspace, {"new": "x\n"})
    return await bring(mirrors, origin, bundle_work(workspace, base))


async def test_work_becomes_one_commit_of_its_files(
    mirrors: Mirrors, origin: Repo, workspace: Repo
):
    """However many commits the work has, the host makes one, the same at every repeat."""
    base = CommitSha(workspace.head.commit.hexsha)
    commit_files(workspace, {"one": "1\n"})
    commit_files(workspace, {"two": "2\n"})
    work = bundle_work(workspace, base)
    commits = {await bring(mirrors, origin, work) for _ in range(2)}
    (commit,) = commits
    await mirrors.push(named(origin), BRANCH, commit, None)
    made = origin.commit(BRANCH)
    assert (made.hexsha, made.tree.hexsha) == (commit, work.said.tree)
    assert [parent.hexsha for parent in made.parents] == [base]
    assert (made.author.name, made.author.email) == ("Overnight", "overnight@localhost")
    assert (made.authored_date, made.committed_date) == (1_700_000_000, 1_700_000_000)


async def test_pushing_again_is_a_success(mirrors: Mirrors, origin: Repo, workspace: Repo):
    """A push whose answer was lost is found done."""
    commit = await proposed(mirrors, origin, workspace)
    for _ in range(2):
        await mirrors.push(named(origin), BRANCH, commit, None)
    assert origin.commit(BRANCH).hexsha == commit


async def test_a_branch_that_a_person_moved_stays(mirrors: Mirrors, origin: Repo, workspace: Repo):
    """Neither a moved, a foreign nor a deleted branch is touched."""
    commit = await proposed(mirrors, origin, workspace)
    main = origin.head.commit.hexsha
    origin.git.branch(BRANCH, main)
    for expected in (None, OTHER):
        with pytest.raises(ApplicationError, match="nothing was overwritten") as refused:
            await mirrors.push(named(origin), BRANCH, commit, expected)
        assert (refused.value.type, refused.value.non_retryable) == (Failure.BRANCH_MOVED, True)
    assert origin.commit(BRANCH).hexsha == main
    origin.git.branch("-D", BRANCH)
    with pytest.raises(ApplicationError, match="points at nothing"):
        await mirrors.push(named(origin), BRANCH, commit, CommitSha(main))
    assert BRANCH not in [head.name for head in origin.heads]


async def test_a_branch_where_it_was_left_moves_on(mirrors: Mirrors, origin: Repo, workspace: Repo):
    """The second revision follows the first."""
    first = await proposed(mirrors, origin, workspace)
    await mirrors.push(named(origin), BRANCH, first, None)
    tree = origin.commit("main").tree.hexsha
    second = await mirrors.commit(
        named(origin), tree=tree, parent=first, message="Undo\n", authored_at=1_700_000_001
    )
    await mirrors.push(named(origin), BRANCH, second, first)
    assert [commit.hexsha for commit in origin.iter_commits(BRANCH)][:2] == [second, first]


@pytest.mark.parametrize(
    "branch",
    [
        "main", ":main", "HEAD:main", "overnight/", "overnight/x:main", "overnight/../main",
        "overnight/x.lock", "overnight/a/b", "overnight/-f", "refs/heads/overnight/x", "--mirror",
        "+overnight/x", "overnight/x\n", "overnight/@{-1}", "overnight/*", "Overnight/x", "",
    ],
)  # fmt: skip
async def test_no_other_branch_is_ever_pushed(mirrors: Mirrors, origin: Repo, branch: str):
    """Only the branch of a session, spelled plainly."""
    main = CommitSha(origin.head.commit.hexsha)
    with pytest.raises(ApplicationError, match="is refused"):
        await mirrors.push(named(origin), branch, main, None)
    assert [head.name for head in origin.heads] == ["main"]


async def test_the_words_of_a_refusing_remote_are_shown_plainly(
    mirrors: Mirrors, origin: Repo, workspace: Repo
):
    """A protected branch explains itself, without control characters and at bounded length."""
    commit = await proposed(mirrors, origin, workspace)
    hook = Path(origin.git_dir) / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'no \\033[31mpushes\\007 today %2000s' x >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ApplicationError, match="no pushes today") as refused:
        await mirrors.push(named(origin), BRANCH, commit, None)
    assert (refused.value.type, refused.value.non_retryable) == (Failure.REPOSITORY, True)
    assert not re.search(r"[\x00-\x1f\x7f]", str(refused.value))
    assert len(str(refused.value)) < 1_000


async def test_a_branch_that_another_push_holds_is_tried_again(
    mirrors: Mirrors, origin: Repo, workspace: Repo
):
    """It may be an earlier attempt of our own; its lock goes away, so nothing is given up."""
    commit = await proposed(mirrors, origin, workspace)
    lock = Path(origin.git_dir) / f"refs/heads/{BRANCH}.lock"
    lock.parent.mkdir()
    lock.touch()
    with pytest.raises(ApplicationError, match="is busy with the branch") as held:
        await mirrors.push(named(origin), BRANCH, commit, None)
    assert held.value.type == Failure.TEMPORARY
    lock.unlink()
    await mirrors.push(named(origin), BRANCH, commit, None)
    assert origin.commit(BRANCH).hexsha == commit


async def test_work_taken_twice_is_taken_once(mirrors: Mirrors, origin: Repo, workspace: Repo):
    """A repeat finds the work and needs no bundle."""
    base = CommitSha(workspace.head.commit.hexsha)
    commit_files(workspace, {"new": "x\n"})
    work = bundle_work(workspace, base)
    await mirrors.take(named(origin), work.said, work.bundle)
    await mirrors.take(named(origin), work.said, b"")


async def test_a_dishonest_bundle_is_refused(mirrors: Mirrors, origin: Repo, workspace: Repo):
    """The bundle must hold the commit and tree that it is said to hold, whole and sound."""
    base = CommitSha(workspace.head.commit.hexsha)
    commit_files(workspace, {"new": "x\n" * 1_000})
    bundle, said = bundle_work(workspace, base)
    changed = bytearray(bundle)
    changed[-30] ^= 0xFF
    lies = [
        (said.model_copy(update={"tip": base}), bundle),
        (said.model_copy(update={"tip": OTHER}), bundle),
        (said.model_copy(update={"tip": OTHER}), bundle.replace(said.tip.encode(), b"1" * 40)),
        (said, bytes(changed)),
        (said, bundle[:-40]),
        (said, bundle[: bundle.index(b"PACK")]),
        (said, b""),
        (said, bundle.replace(b" HEAD\n", b" HEAD\n" + said.tip.encode() + b" refs/heads/main\n")),
        (said, bytes(BUNDLE_LIMIT_BYTES + 1)),
        (said.model_copy(update={"tree": "2" * 40}), bundle),
    ]
    for lie, data in lies:
        with pytest.raises(ApplicationError) as refused:
            await mirrors.take(named(origin), lie, data)
        assert (refused.value.type, refused.value.non_retryable) == (Failure.GIT_TAMPERED, True)
    await mirrors.take(named(origin), said, bundle)


async def test_objects_that_git_deems_dangerous_are_refused(
    mirrors: Mirrors, origin: Repo, workspace: Repo
):
    """A tree with a `.git` folder or a path in a name never gets in."""
    base = CommitSha(workspace.head.commit.hexsha)
    blob = workspace.head.commit.tree["README.md"].hexsha
    evil = raw_tree(workspace, b"40000 .GIT\0" + bytes.fromhex(workspace.head.commit.tree.hexsha))
    slash = raw_tree(workspace, b"100644 ../up\0" + bytes.fromhex(blob))
    for tree in (evil, slash):
        tip = workspace.git.commit_tree(tree, "-p", base, "-m", "evil")
        workspace.git.update_ref("--no-deref", "HEAD", tip)
        work = bundle_work(workspace, base)
        with pytest.raises(ApplicationError, match="refuses the work's objects") as refused:
            await mirrors.take(named(origin), work.said, work.bundle)
        assert refused.value.type == Failure.GIT_TAMPERED


async def test_few_objects_that_are_countless_files_are_refused(
    mirrors: Mirrors, origin: Repo, workspace: Repo
):
    """A folder may be in many places, and so may what holds it: a kilobyte, a billion files."""
    base = CommitSha(workspace.head.commit.hexsha)
    tree, mode = workspace.head.commit.tree["README.md"].hexsha, "100644"
    for _ in range(5):
        name = bytes.fromhex(tree)
        entries = b"".join(f"{mode} {number:02}\0".encode() + name for number in range(64))
        tree, mode = raw_tree(workspace, entries), "40000"
    tip = workspace.git.commit_tree(tree, "-p", base, "-m", "bomb")
    workspace.git.update_ref("--no-deref", "HEAD", tip)
    work = bundle_work(workspace, base)
    assert len(work.bundle) < 2_000
    with pytest.raises(
        ApplicationError, match="more than 100,000 files that its base has not"
    ) as refused:
        await mirrors.take(named(origin), work.said, work.bundle)
    assert refused.value.type == Failure.GIT_TAMPERED


async def test_work_with_missing_files_is_refused(mirrors: Mirrors, origin: Repo, workspace: Repo):
    """A bundle that leaves a file out would give a commit that nobody can check out."""
    base = CommitSha(workspace.head.commit.hexsha)
    commit_files(workspace, {"new": "x\n"})
    whole = bundle_work(workspace, base)
    listed = Path(workspace.git_dir) / "listed"
    listed.write_text(f"{whole.said.tip}\n{whole.said.tree}\n")
    with listed.open("rb") as file:
        pack = workspace.git.pack_objects("--stdout", istream=file, stdout_as_string=False)
    bundle = whole.bundle[: whole.bundle.index(b"PACK")] + pack
    with pytest.raises(ApplicationError, match="refuses the work's objects") as refused:
        await mirrors.take(named(origin), whole.said, bundle)
    assert refused.value.type == Failure.GIT_TAMPERED


def raw_tree(workspace: Repo, entries: bytes) -> str:
    """Write a tree that git would not write."""
    file = Path(workspace.git_dir) / "tree"
    file.write_bytes(entries)
    return str(workspace.git.hash_object("-t", "tree", "-w", "--literally", str(file)))


async def test_nothing_in_the_work_runs_on_the_host(
    mirrors: Mirrors, settings: Settings, origin: Repo, workspace: Repo, tmp_path: Path
):
    """Attributes, filters, hooks and configuration of the work do nothing on its way out."""
    base = CommitSha(workspace.head.commit.hexsha)
    marker = tmp_path / "marker"
    touch = f"touch {marker}"
    config = f'[diff "evil"]\n\ttextconv = {touch}\n\tcommand = {touch}\n'
    config += f'[filter "evil"]\n\tclean = {touch}\n\tsmudge = {touch}\n\tprocess = {touch}\n'
    config += f"[core]\n\tfsmonitor = {touch}\n\tpager = {touch}\n\tsshCommand = {touch}\n"
    script = f"#!/bin/sh\n{touch}\n"
    hooks = ("pre-push", "post-commit", "reference-transaction", "post-receive")
    commit_files(
        workspace,
        {
            ".gitattributes": "* filter=evil diff=evil merge=evil\n",
            ".gitconfig": config,
            "config": config,
            **{f"hooks/{hook}": script for hook in hooks},
        },
    )
    work = bundle_work(workspace, base)
    with (Path(workspace.git_dir) / "config").open("a") as file:
        file.write(config)
    for hook in hooks:
        path = Path(workspace.git_dir) / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    commit = await bring(mirrors, origin, work)
    await mirrors.diff(named(origin), base, commit)
    await mirrors.changes(named(origin), base, commit)
    await mirrors.push(named(origin), BRANCH, commit, None)
    await mirrors.seed(named(origin), commit, BRANCH, tmp_path / "again/.git")
    assert origin.commit(BRANCH).hexsha == commit
    assert not marker.exists()
    (mirror,) = settings.mirrors_path.glob("*.git")
    assert not (mirror / "hooks").exists()
