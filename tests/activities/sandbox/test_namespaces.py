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
from activities.sandbox.removal import remove_tree
from activities.sandbox.spawn import Finished
from activities.sandbox.toolchain import bin_folders, toolchain

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


def test_a_toolchain_is_the_folder_above_bin(tmp_path: Path) -> None:
    """Links are followed to the installation, scripts are asked, homes are refused."""
    _program(tmp_path / "node-22/bin/node", b"\x7fELF")
    _program(tmp_path / "rust/bin/real", b"\x7fELF")
    _program(tmp_path / "rustc", f"#!/bin/sh\necho {tmp_path}/rust\n".encode())
    _program(tmp_path / "u/.local/bin/java", b"\x7fELF")
    (tmp_path / "bin").mkdir()
    targets = {"node": "node-22/bin/node", "rustc": "rustc", "java": "u/.local/bin/java"}
    for name, target in targets.items():
        (tmp_path / "bin" / name).symlink_to(tmp_path / target)
    found = toolchain(str(tmp_path / "bin"))
    assert found == [tmp_path / "node-22", tmp_path / "rust"]
    assert bin_folders(found).startswith(f"{tmp_path}/node-22/bin:{tmp_path}/rust/bin:/usr/local")


def _program(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)


def test_removal_is_safe_for_everything_else(tmp_path: Path) -> None:
    """Deep, closed and linked folders go; what links point to stays; a repeat is fine."""
    kept = tmp_path / "kept"
    kept.mkdir()
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/link").symlink_to(kept)
    (tree / "a/b/file").touch()
    (tree / "a/b").chmod(0)
    (tree / "a").chmod(0)
    remove_tree(tree)
    remove_tree(tree)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
