"""A box is filled without following what a set-up left in it."""

from pathlib import Path

from tests.activities.sandbox.rigging import Rig


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
