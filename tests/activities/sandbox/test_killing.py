"""However a command ends, nothing of it is left."""

import asyncio
import os
from pathlib import Path

import pytest

from activities.sandbox.box import read_exit
from tests.activities.sandbox.conftest import Box
from tests.patience import PATIENCE_SECONDS
from workflows.contract.sandbox import CommandOutcome

DAEMON = """
import os, sys, signal, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.stdout.write("daemon %s\\n" % sys.argv[1]); sys.stdout.flush()
time.sleep(600)
"""


def _alive(marker: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if marker.encode() in words:
                found.append(folder.name)
    return found


@pytest.fixture
def daemon(box: Box, unique: str) -> str:
    """A shell line that leaves a daemon behind, and waits until it speaks."""
    (box.paths.workspace / "daemon.py").write_text(DAEMON)
    return f"/usr/bin/python3 daemon.py {unique}"


async def test_a_daemon_is_gone_after_its_command(box: Box, daemon: str, unique: str) -> None:
    """Setsid and a double fork do not outlive the command that used them."""
    os.mkfifo(box.paths.workspace / "up")
    line = f'({daemon} > up &) ; read -r line < up; echo "$line"; exit 3'
    end, output = await box.run(line)
    assert (end.code, output.decode()) == (3, f"daemon {unique}\n")
    assert _alive(unique) == []


async def test_a_pipe_held_by_a_daemon_delays_nothing(box: Box, daemon: str, unique: str) -> None:
    """The end is recorded although a daemon had the command's stdout."""
    end, _ = await box.run(f"{daemon} & exit 4")
    assert (end.outcome, end.code) == (CommandOutcome.EXITED, 4)
    assert _alive(unique) == []


async def test_a_stop_kills_what_ignores_sigterm(box: Box, daemon: str, unique: str) -> None:
    """A tree that ignores SIGTERM, with a daemon in it, is gone when the stop answers."""
    stubborn = f"trap '' TERM; {daemon}; echo up; while :; do sleep 9; done"
    name = await box.start(box.command(stubborn))
    await box.said(name, b"up")
    await box.said(name, unique.encode())
    end = await box.client.stop(name)
    assert end.outcome is CommandOutcome.STOPPED
    assert (_alive(unique), (await box.client.ping()).running) == ([], ())
    assert (await box.client.stop(name), read_exit(box.paths, name)) == (end, end)


async def test_a_stop_lets_a_command_clean_up(box: Box) -> None:
    """SIGTERM comes first, and what a command writes then is kept."""
    name = await box.start(
        box.command("trap 'echo cleaned; exit 9' TERM; echo up; while :; do sleep 0.01; done")
    )
    await box.said(name, b"up")
    end = await box.client.stop(name, grace_s=30.0)
    assert (end.outcome, end.code, box.output(name)) == (
        CommandOutcome.STOPPED,
        9,
        b"up\ncleaned\n",
    )


async def test_a_stop_right_after_the_start_is_no_different(box: Box) -> None:
    """SIGTERM also reaches a command that has hardly begun: no stop waits for its grace in vain."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(20):
            name = await box.start(box.command("exec sleep 600"))
            assert (await box.client.stop(name, grace_s=600.0)).signal == "SIGTERM"


async def test_a_stop_before_the_start_leaves_a_tombstone(box: Box) -> None:
    """A stop that overtakes its start prevents it for ever."""
    end = await box.client.stop("early")
    started = await box.client.start(box.command("touch ran", "early"))
    assert (started.state, started.exit) == ("ended", end)
    assert end.outcome is CommandOutcome.STOPPED
    assert not (box.paths.workspace / "ran").exists()


async def test_a_timeout_kills_the_tree(box: Box, daemon: str, unique: str) -> None:
    """When its time is over a command is killed with its daemons."""
    stubborn = f"trap '' TERM; {daemon}; cat /dev/zero | sleep 600"
    name = await box.start(box.command(stubborn, timeout_s=1.0))
    end = await box.ended(name)
    assert (end.outcome, end.code, end.signal) == (CommandOutcome.TIMEOUT, None, "SIGKILL")
    assert _alive(unique) == []


async def test_killing_the_warden_kills_the_command(box: Box, daemon: str, unique: str) -> None:
    """A command that kills its warden is recorded as killed, and its orphans are gone."""
    other = await box.start(box.command("echo up; exec sleep 600"))
    await box.said(other, b"up")
    end, _ = await box.run(f"{daemon}; kill -9 $PPID; sleep 600")
    assert (end.outcome, end.code) == (CommandOutcome.KILLED, None)
    assert _alive(unique) == []
    assert (await box.client.ping()).running == (other,)


async def test_stopping_the_warden_delays_but_does_not_save(
    box: Box, daemon: str, unique: str
) -> None:
    """A warden that its command has frozen does not keep the command from being stopped."""
    name = await box.start(box.command(f"{daemon}; kill -STOP $PPID; echo up; sleep 600"))
    await box.said(name, b"up")
    end = await box.client.stop(name)
    assert end.outcome is CommandOutcome.STOPPED
    assert _alive(unique) == []


async def test_a_fork_bomb_is_stopped(box: Box, unique: str) -> None:
    """Processes that fork as they are killed do not get away."""
    bomb = (
        "import os, sys, time\n"
        "print('up', flush=True)\n"
        "for _ in range(5): os.fork()\n"
        "while True:\n"
        "    if os.fork(): os._exit(0)\n"
        "    time.sleep(0.001)\n"
    )
    (box.paths.workspace / "bomb.py").write_text(bomb)
    name = await box.start(box.command(f"/usr/bin/python3 bomb.py {unique} & sleep 600"))
    await box.said(name, b"up")
    assert (await box.client.stop(name, grace_s=0.1)).outcome is CommandOutcome.STOPPED
    assert _alive(unique) == []
