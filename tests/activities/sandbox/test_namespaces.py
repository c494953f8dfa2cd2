"""The command lines of boxes, and the words for hosts that refuse them."""

from pathlib import Path

import pytest

from activities.sandbox import canary
from activities.sandbox.box import BoxPaths
from activities.sandbox.namespaces import (
    BoxSpec,
    Handover,
    HostLayout,
    Interpreter,
    bwrap_argv,
    host_argv,
    host_layout,
)
from activities.sandbox.spawn import Finished

LAYOUT = HostLayout(
    links=(("usr/bin", "/bin"),),
    folders=("/lib64",),
    etc=("/etc/localtime",),
    etc_network=("/etc/resolv.conf", "/etc/hosts"),
)
PYTHON = Interpreter(Path("/opt/py/bin/python3.11"), Path("/opt/py"))
NO_PERMISSIONS = (
    "bwrap: No permissions to creating new namespace, likely because the kernel does not allow "
    "non-privileged user namespaces. On e.g. debian this can be enabled with "
    "'sysctl kernel.unprivileged_userns_clone=1'."
)
LIMITED = (
    "bwrap: Creating new namespace failed: nesting depth or "
    "/proc/sys/user/max_*_namespaces exceeded (ENOSPC)"
)
HANDOVER = Handover(5, 6, 7, "token")


def _argv(**fields: object) -> str:
    spec = BoxSpec(BoxPaths(Path("/boxes/b")), **fields)  # type: ignore[arg-type]  # test table
    return " ".join(bwrap_argv(Path("/usr/bin/bwrap"), spec, LAYOUT, PYTHON, HANDOVER))


def test_a_box_has_every_wall() -> None:
    """All namespaces, no capability, an ordinary user, no user namespaces inside."""
    argv = _argv()
    for option in (
        "--unshare-all --unshare-user --uid 1000 --gid 1000 --disable-userns",
        "--as-pid-1 --new-session --cap-drop ALL --hostname sandbox",
        "--symlink usr/bin /bin --ro-bind /lib64 /lib64",
        "--proc /proc --remount-ro /proc",
        "--ro-bind /opt/py /opt/py",
        "--bind /boxes/b/workspace /workspace --bind /boxes/b/home /home/agent",
    ):
        assert option in argv
    assert argv.endswith("/opt/overnight 5 6 /workspace /home/agent token")


def test_network_is_shown_only_when_asked_for() -> None:
    """Without network neither the host's namespace nor its resolver is there."""
    assert "--share-net" not in _argv()
    assert "resolv.conf" not in _argv()
    assert "--unshare-all --share-net " in _argv(network=True)
    assert "--ro-bind /etc/resolv.conf /etc/resolv.conf" in _argv(network=True)
    assert _argv(network=True).count(" /etc/hosts") == 2


def test_toolchains_are_read_only_and_named_once() -> None:
    """Each prefix is bound at its own path; what is under /usr is there already."""
    argv = _argv(toolchain=(Path("/opt/py"), Path("/opt/go"), Path("/usr/lib/go")))
    assert argv.count("--ro-bind /opt/py /opt/py") == 1
    assert "--ro-bind /opt/go /opt/go" in argv
    assert "/usr/lib/go" not in argv


def test_the_host_provider_has_no_walls() -> None:
    """The same supervisor is started by itself, isolated from site packages."""
    argv = host_argv(BoxSpec(BoxPaths(Path("/boxes/b"))), PYTHON, HANDOVER)
    assert argv[:4] == ["/opt/py/bin/python3.11", "-I", "-S", "-c"]
    assert argv[-5:] == ["5", "6", "/boxes/b/workspace", "/boxes/b/home", "token"]


def test_this_host_s_tree_is_found() -> None:
    """/bin is a link or a folder of this host, never both."""
    layout = host_layout()
    assert "/bin" in {path for _, path in layout.links} ^ set(layout.folders)


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        (LIMITED, "user.max_user_namespaces=15000"),
        (NO_PERMISSIONS, "seccomp=unconfined"),
        (f"{NO_PERMISSIONS} (kernel.unprivileged_userns_clone is 0)", "sudo sysctl -w kernel"),
        ("bwrap: Can't find source path /root/py: Permission denied", "let this user read it"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths"),
        ("bwrap: Failed to make / slave: Permission denied", "apparmor=unconfined"),
        ("bwrap: setting up uid map: Permission denied", "apparmor"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "apparmor"),
        ("bwrap: Unknown option --disable-userns", "0.11"),
        ("[Errno 2] No such file or directory: '/usr/bin/bwrap'", "install"),
        ("something never seen", "by hand"),
    ],
)
def test_refusals_name_their_cure(said: str, cure: str) -> None:
    """Each host that refuses boxes is told what to do, in one line with its own words."""
    line = canary.explain(Finished(1, "", said + "\n"))
    assert said in line
    assert cure in line
    assert "\n" not in line


def test_a_missing_bwrap_is_a_refusal(tmp_path: Path) -> None:
    """A bwrap that is not there is explained like a host that refuses."""
    line = canary.canary(tmp_path / "bwrap")
    assert line is not None
    assert "install" in line


def test_an_old_bwrap_is_passed_over(tmp_path: Path) -> None:
    """The system's bwrap counts only from 0.11 on."""
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.8.0\n")
    old.chmod(0o755)
    assert canary.find_bwrap(str(tmp_path)) != old
    old.write_text("#!/bin/sh\necho bubblewrap 0.11.1\n")
    assert canary.find_bwrap(str(tmp_path)) == old
