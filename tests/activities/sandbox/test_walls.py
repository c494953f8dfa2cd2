"""What commands in a box cannot see or reach."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from activities.sandbox import canary
from activities.sandbox.box import BoxClient, BoxPaths
from activities.sandbox.lifetime import destroy
from tests.activities.sandbox.conftest import Box

LAUNCHER = """
import asyncio, sys
from pathlib import Path
from activities.sandbox import namespaces
from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import ensure_running
paths = BoxPaths(Path(sys.argv[1])); paths.make(); namespaces.write_etc(paths)
spec = namespaces.BoxSpec(paths)
asyncio.run(ensure_running(paths, lambda handover: namespaces.bwrap_argv(
    Path(sys.argv[2]), spec, namespaces.host_layout(), namespaces.own_interpreter(), handover)))
"""


async def test_a_command_is_an_ordinary_user_without_rights(walled: Box) -> None:
    """Commands are uid 1000 with no capability and no way to get one."""
    _, output = await walled.run(
        "id -u; id -un; grep ^Cap /proc/self/status | cut -f 2 | sort -u; "
        "grep NoNewPrivs /proc/self/status | cut -f 2; hostname"
    )
    assert output.decode().splitlines() == ["1000", "agent", "0" * 16, "1", "sandbox"]


async def test_the_supervisor_cannot_be_looked_into(walled: Box) -> None:
    """PID 1's environment, descriptors, memory and root are closed to commands."""
    end, output = await walled.run(
        "for name in environ mem maps root cwd exe fd/3 fd/4 fd/5 fd/6; do "
        "head -c 1 /proc/1/$name 2>/dev/null || ls /proc/1/$name/ 2>/dev/null; done; "
        "readlink /proc/1/fd/* /proc/1/root /proc/1/exe; kill -9 1; echo alive"
    )
    assert (end.code, output) == (0, b"alive\n")


async def test_the_state_folder_is_not_in_the_box(walled: Box) -> None:
    """No mount and no folder of the box leads to logs, exits or the socket."""
    _, output = await walled.run(
        "grep -c /state/ /proc/self/mountinfo; find / -xdev -name box.log 2>/dev/null; "
        "find / -name status.json -not -path '/proc/*' 2>/dev/null; cat /proc/net/unix | wc -l"
    )
    lines = output.decode().splitlines()
    mounts = int(lines[0])
    # passwd, group and hosts are shown as single files of that folder.
    assert (mounts, lines[1:]) == (3, ["1"])


async def test_only_the_workspace_home_and_memory_can_be_written(walled: Box) -> None:
    """The rest of the tree, the kernel's settings in /proc/sys too, is read-only."""
    _, output = await walled.run(
        "for f in /x /etc/x /usr/x /dev/x /opt/x /opt/overnight/activities/sandbox/inside/x "
        "/proc/sys/kernel/core_pattern /proc/sys/kernel/panic /proc/sys/vm/swappiness "
        "/workspace/x /home/agent/x /tmp/x /run/x /dev/shm/x; do "
        "(: >> $f) 2>/dev/null && echo $f; done"
    )
    written = ["/workspace/x", "/home/agent/x", "/tmp/x", "/run/x", "/dev/shm/x"]  # noqa: S108
    assert output.decode().splitlines() == written


async def test_there_is_no_network(walled: Box) -> None:
    """Only the loopback device exists, and nothing beyond it can be reached."""
    probe = (
        "import socket, errno\n"
        "print([name for _, name in socket.if_nameindex()])\n"
        "s = socket.socket()\n"
        "print(errno.errorcode[s.connect_ex(('192.0.2.1', 80))])\n"
        "print(socket.getaddrinfo('localhost', 1, socket.AF_INET)[0][4][0])\n"
    )
    (walled.paths.workspace / "probe.py").write_text(probe)
    _, output = await walled.run("/usr/bin/python3 probe.py")
    assert output.decode().splitlines() == ["['lo']", "ENETUNREACH", "127.0.0.1"]


async def test_user_namespaces_cannot_be_made_inside(walled: Box) -> None:
    """A command cannot become root of a namespace of its own."""
    end, _ = await walled.run("unshare --user --map-root-user true")
    assert end.code != 0


@pytest.mark.usefixtures("boxes_are_possible")
async def test_the_launcher_s_environment_is_nowhere_in_the_box(
    tmp_path: Path, unique: str
) -> None:
    """A secret of the launcher's environment is in no process that the box can see."""
    paths = BoxPaths(tmp_path / "box")
    launcher = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LAUNCHER,
        str(paths.root),
        str(canary.find_bwrap()),
        env={"SECRET": unique, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert await launcher.wait() == 0
    box = Box("bubblewrap", paths, lambda _: [])
    try:
        command = box.command(
            "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; env"
        )
        await box.ended(await box.start(command))
        assert b"PATH=" in box.output(command.id)
        assert unique.encode() not in box.output(command.id)
        assert unique not in _host_environments(paths)
    finally:
        await destroy(paths)


def _host_environments(paths: BoxPaths) -> str:
    token = (paths.state / "token").read_text()
    found = ""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if token in (folder / "cmdline").read_bytes().decode(errors="replace"):
                    found += (folder / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
    return found


async def test_the_host_provider_says_that_it_is_no_box(box: Box) -> None:
    """The supervisor is PID 1 exactly when there are walls."""
    pong = await BoxClient(box.paths).ping()
    assert pong.pid1 == (box.provider == "bubblewrap")
