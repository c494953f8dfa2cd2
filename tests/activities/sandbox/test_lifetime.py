"""A box's life: one at a time, found again, and gone without a trace."""

import asyncio
import os
import shutil
import signal
from contextlib import closing, suppress
from pathlib import Path

import pytest

from activities.sandbox import namespaces
from activities.sandbox.box import BoxClient, BoxGone, BoxPaths, read_exit
from activities.sandbox.lifetime import BoxFailed, destroy, ensure_running, is_running
from tests.activities.sandbox.conftest import Box, launch_for
from tests.activities.sandbox.following import Gate
from tests.patience import PATIENCE_SECONDS
from workflows.contract.sandbox import CommandOutcome


async def test_starts_that_race_make_one_box(box: Box) -> None:
    """Of many launches at once, from an ended box too, one starts it and all find it."""
    await box.client.shutdown()
    anew = await asyncio.gather(*(ensure_running(box.paths, box.launch) for _ in range(10)))
    assert sorted(anew) == [False] * 9 + [True]
    assert (await box.client.ping()).running == ()


async def test_a_dead_box_is_gone_and_its_commands_are_lost(box: Box) -> None:
    """After SIGKILL clients see `BoxGone`; the next box reports the command lost, once for all."""
    name = await box.start(box.command("echo begun; exec sleep 600"))
    await box.said(name, b"begun")
    os.kill(box.supervisor, signal.SIGKILL)
    with pytest.raises(BoxGone):
        await box.client.wait(name, 2**60, 60.0)
    assert await ensure_running(box.paths, box.launch)
    started = await box.client.start(box.command("touch again", name))
    assert started.exit is not None
    assert (started.state, started.exit.outcome) == ("ended", CommandOutcome.LOST)
    assert (started.exit.bytes.stdout, read_exit(box.paths, name)) == (6, started.exit)
    assert not (box.paths.workspace / "again").exists()


async def test_a_box_whose_folder_was_removed_ends(box: Box) -> None:
    """It looks when something happens, and once a minute otherwise; nobody could find it again."""
    with closing(Gate(box)) as gate:
        name = await box.start(box.command("exec 9< gate; echo up; read -r _ <&9"))
        await box.said(name, b"up")
        process = os.pidfd_open(box.supervisor)
        shutil.rmtree(box.paths.root)
        gate.open()
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process, gone.set)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await gone.wait()
    loop.remove_reader(process)
    os.close(process)


async def test_ended_commands_survive_their_box(box: Box) -> None:
    """A later box over the same folders still knows how a command ended."""
    end, _ = await box.run("exit 3")
    name = next((box.paths.state / "commands").iterdir()).name
    await box.client.shutdown()
    await ensure_running(box.paths, box.launch)
    assert (await box.client.start(box.command("true", name))).exit == end


async def test_a_killed_supervisor_takes_its_commands_along(box: Box, unique: str) -> None:
    """Commands do not outlive the supervisor, on the host neither."""
    name = await box.start(box.command(f"echo up; exec sh -c 'sleep 600; :' {unique}"))
    await box.said(name, b"up")
    os.kill(box.supervisor, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while _mentioning(unique) or is_running(box.paths):  # noqa: ASYNC110  # deaths of others
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("pid", ["", "[7]", '{"child-pid": -1}', f'{{"child-pid": {10**30}}}'])
async def test_a_box_with_a_broken_record_is_removed(box: Box, pid: str) -> None:
    """It is asked to end; nobody could say which process to kill."""
    (box.paths.state / "status.json").write_text(pid)
    await destroy(box.paths)
    assert not box.paths.root.exists()


async def test_destroy_leaves_nothing(box: Box, unique: str) -> None:
    """No process, mount or folder of a box is left, whatever its files look like."""
    trees = (
        "mkdir -p a/b/c; ln -s /etc etc; mkfifo pipe; touch -- -rf $'new\\nline' $'\\xff'; "
        "chmod 000 a/b/c a/b a; d=d; for i in $(seq 300); do mkdir $d; cd $d; done; echo up; "
        f"exec sh -c 'sleep 600; :' {unique}"
    )
    name = await box.start(box.command(trees))
    await box.said(name, b"up")
    outside = box.paths.root.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (box.paths.home / "link").symlink_to(outside)
    token = (box.paths.state / "token").read_text()
    await destroy(box.paths)
    await destroy(box.paths)
    assert (_mentioning(unique), _mentioning(token)) == ([], [])
    assert str(box.paths.root) not in _mounts()
    assert [path.name for path in box.paths.root.parent.iterdir()] == ["outside"]
    assert (outside / "kept").exists()


@pytest.mark.usefixtures("boxes_are_possible")
async def test_destroy_waits_for_what_made_the_walls(tmp_path: Path) -> None:
    """What launched a box outlives it by a moment, here by a long one; the folders go last."""
    paths = BoxPaths(tmp_path / "box")
    paths.make()
    namespaces.write_etc(paths)
    launch, last = launch_for("bubblewrap", paths), tmp_path / "last"

    def slowly(handover: namespaces.Handover) -> list[str]:
        # bwrap, too, keeps the lock on the state to the supervisor alone.
        parting = f"wait; /bin/sleep 1; test -d {paths.state} && echo there > {last}"
        script = f'"$@" & exec {handover.state}<&-; {parting}'
        return ["/bin/bash", "-c", script, "bash", *launch(handover)]

    await ensure_running(paths, slowly)
    await destroy(paths)
    assert last.read_text() == "there\n"


async def test_destroy_ends_a_box_that_does_not_answer(box: Box, unique: str) -> None:
    """A frozen supervisor is killed with its commands."""
    name = await box.start(box.command(f"echo up; exec sh -c 'sleep 600; :' {unique}"))
    await box.said(name, b"up")
    os.kill(box.supervisor, signal.SIGSTOP)
    await destroy(box.paths)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while _mentioning(unique):  # noqa: ASYNC110  # deaths of others send nothing
            await asyncio.sleep(0.01)
    assert not box.paths.root.exists()


async def test_destroy_spares_a_process_that_took_over_the_pid(tmp_path: Path) -> None:
    """A recorded pid that belongs to another program now is left alone."""
    paths = BoxPaths(tmp_path / "box")
    paths.make()
    (paths.state / "token").write_text("overnight-box-0123")
    (paths.state / "status.json").write_text(f'{{"child-pid": {os.getpid()}}}')
    await destroy(paths)
    assert not paths.root.exists()


async def test_a_box_that_cannot_start_says_why(tmp_path: Path) -> None:
    """What the launcher's program said is in the error, and the lock is free again."""
    paths = BoxPaths(tmp_path / "box")
    with pytest.raises(BoxFailed, match="no walls today"):
        await ensure_running(paths, lambda _: ["/bin/sh", "-c", "echo no walls today >&2; exit 1"])
    assert not is_running(paths)
    await destroy(paths)


async def test_nothing_answers_for_a_box_that_never_was(tmp_path: Path) -> None:
    """Asking, and removing, what does not exist is no accident."""
    paths = BoxPaths(tmp_path / "never")
    with pytest.raises(BoxGone):
        await BoxClient(paths).ping()
    await destroy(paths)
    assert not is_running(paths)


def _mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()


def _mentioning(text: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                if text.encode() in (folder / "cmdline").read_bytes():
                    found.append(folder.name)
    return found
