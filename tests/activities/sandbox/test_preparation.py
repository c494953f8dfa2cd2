"""A box is filled with the work as it was, and without following what a set-up left in it."""

from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from tests.activities.sandbox.rigging import Rig, git
from workflows.contract.base import CommandId
from workflows.contract.failures import Failure
from workflows.contract.sandbox import BASE_REF, ExportWork


async def test_work_is_restored_beside_what_the_setup_left(rig: Rig, tmp_path: Path) -> None:
    """Whatever name it takes: a link that a set-up made leads nowhere."""
    mine = tmp_path / "mine"
    mine.write_text("mine\n")
    rig.configure(f"ln -s {mine} $HOME/restore.bundle")
    ready = await rig.open("s-1")
    await rig.run(ready, "echo two > a.txt")
    work = await rig.export(ready)
    other = await rig.open("s-2", restore=work)
    assert (await rig.run(other, "cat a.txt; ls -A $HOME")).excerpt == "two\nrestore.bundle\n"
    assert mine.read_text() == "mine\n"


async def test_a_setup_that_leaves_git_data_of_its_own_is_cached(rig: Rig) -> None:
    """Every session has the repository's, whatever stands in its place in the environment."""
    rig.configure("mkdir -p ~/.local/bin && cd ~/.local/bin && echo exit > rm && chmod +x rm")
    for name in ("s-1", "s-2"):
        ready = await rig.open(name)
        assert (await rig.run(ready, "git log --format=%s -1")).excerpt == "configure\n"


async def test_a_box_for_checks_has_the_work_committed(rig: Rig) -> None:
    """As in continuous integration: git knows the new files, and the tree is clean."""
    ready = await rig.open("s-1")
    await rig.run(ready, "echo new > new.txt; rm a.txt; mkdir d; echo f > d/f")
    work = await rig.export(ready)
    checked = await rig.open("s-2", restore=work, committed=True)
    seen = await rig.run(checked, "git status --short --branch; git ls-files; git diff HEAD")
    assert seen.excerpt == "## overnight/s-2\n.gitignore\n.overnight.toml\nd/f\nnew.txt\n"
    named = await rig.run(checked, f"git rev-parse HEAD {BASE_REF} HEAD~1", "c-2")
    assert named.excerpt.split() == [work.tip, work.base, work.base]


async def test_ignored_files_that_were_added_stay_work(rig: Rig) -> None:
    """From box to box: also those of the set-up, and whatever their names."""
    ready = await rig.open("s-1")
    names = ("build/new", "build/made", "build/:(top)x", "build/*")
    listed = " ".join(f"'{name}'" for name in names)
    await rig.run(ready, f"touch {listed}; for f in {listed}; do git add -f ./$f; done")
    work = await rig.export(ready)
    other = await rig.open("s-2", restore=work)
    assert (await rig.export(other)).tree == work.tree
    seen = await rig.run(other, "git -c core.quotePath=false diff --cached --name-only")
    assert sorted(seen.excerpt.splitlines()) == sorted(names)


async def test_restored_work_can_be_stashed(rig: Rig) -> None:
    """New files are unknown to git, as before: one that is only announced could not be."""
    ready = await rig.open("s-1")
    await rig.run(ready, "echo two > a.txt; echo new > new.txt")
    other = await rig.open("s-2", restore=await rig.export(ready))
    seen = await rig.run(other, "git stash --quiet; git status --short")
    assert (seen.exit_code, seen.excerpt) == (0, "?? new.txt\n")


async def test_the_git_of_a_setup_does_not_rule_ours(rig: Rig) -> None:
    """A filter that is gone stops neither a checkout nor an export; nothing more is ignored."""
    (rig.source / ".gitattributes").write_text("*.txt filter=gone\n")
    git(rig.source, "add", "-A")
    git(rig.source, "commit", "--quiet", "-m", "attributes")
    gone = "git config --global filter.gone"
    ignored = "mkdir -p ~/.config/git && echo new.txt | tee ~/.config/git/ignore ~/ignored"
    rig.configure(
        f"{gone}.required true && {gone}.smudge gone && {gone}.clean gone && "
        f"git config --global core.excludesFile ~/ignored && {ignored}"
    )
    for name in ("s-1", "s-2"):
        ready = await rig.open(name)
        seen = await rig.run(ready, "cat a.txt; echo new > new.txt; git config filter.gone.clean")
        assert seen.excerpt == "one\ngone\n"
        work = await rig.export(ready)
        assert work.store_key is not None


async def test_what_a_setup_put_into_a_submodule_is_no_work(rig: Rig) -> None:
    """In no box, but what a session puts there is refused, or left out if it must be."""
    for name in ("lib", "empty"):
        (rig.source / name).mkdir()
        submodule = f"160000,{git(rig.source, 'rev-parse', 'HEAD')},{name}"
        git(rig.source, "update-index", "--add", "--cacheinfo", submodule)
    rig.configure("echo theirs > lib/theirs")
    made, ready = await rig.open("s-1"), await rig.open("s-2")
    for each in (made, ready):
        assert (await rig.run(each, "cat lib/theirs")).excerpt == "theirs\n"
        assert (await rig.export(each)).store_key is None
    await rig.run(ready, "echo mine > empty/mine; echo two > a.txt", "c-2")
    with pytest.raises(ApplicationError, match="these folders are submodules") as refused:
        await rig.export(ready, "again")
    assert (refused.value.type, refused.value.non_retryable) == (Failure.GIT_TAMPERED, True)
    last = ExportWork(
        session=ready.session,
        turn=1,
        binding=ready.binding,
        base=ready.base_commit,
        command_id=CommandId("last"),
        salvage=True,
    )
    work = await rig.sandboxes.export_work(last)
    assert (work.left_out, work.store_key is None) == (("empty",), False)
