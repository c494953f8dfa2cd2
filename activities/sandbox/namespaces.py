"""What a box consists of: the command lines that make one, and nothing that runs them.

`bwrap_argv` is the box of the `bubblewrap` provider, `host_argv` the same supervisor without walls.
"""

import compileall
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from activities.sandbox import inside
from activities.sandbox.box import BoxPaths

WORKSPACE = "/workspace"
HOME = "/home/agent"
USER_ID = 1000
USER_NAME = "agent"
SUPERVISOR_ROOT = "/opt/overnight"
GIB = 1024**3

ETC_FILES = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "nsswitch.conf",
    "localtime",
    "timezone",
    "mime.types",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "ca-certificates",
    "pki/tls/certs",
    "pki/ca-trust/extracted",
    "crypto-policies",
)
"""What programs need of the host's /etc; no accounts, no keys, no configuration with secrets."""

ETC_PATTERNS = ("java-*-openjdk",)
"""Debian keeps Java's own configuration there."""

ETC_NETWORK_FILES = ("resolv.conf", "hosts", "gai.conf")

GENERATED_ETC = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"{USER_NAME}:x:{USER_ID}:{USER_ID}:{USER_NAME}:{HOME}:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\n{USER_NAME}:x:{USER_ID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
}

# `-c` rather than a folder or a module: only this puts the package at the end of the search path,
# so that nothing next to it can stand in for a module of the standard library.
_BOOTSTRAP = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from activities.sandbox.inside.supervisor import main; main(sys.argv[1:])"
)


class Handover(NamedTuple):
    """What a launcher gives a new box: open descriptors, and a token to know it by in `ps`."""

    state: int
    listener: int
    status: int
    token: str


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs the supervisor."""

    executable: Path
    prefix: Path


@dataclass(frozen=True)
class HostLayout:
    """What the host's own tree looks like, as far as a box repeats it."""

    links: tuple[tuple[str, str], ...]
    """Top-level links (target, path), such as `usr/bin` at `/bin`."""

    folders: tuple[str, ...]
    """Top-level folders that are no links on this host."""

    etc: tuple[str, ...]
    """Files and folders of /etc that exist and are shown."""

    etc_network: tuple[str, ...]
    """Those shown only with network."""


@dataclass(frozen=True)
class BoxSpec:
    """What is asked of a box."""

    paths: BoxPaths
    network: bool = False
    toolchain: tuple[Path, ...] = ()
    """Folders shown read-only at their own paths."""

    tmp_bytes: int = 2 * GIB
    """Size of /tmp and of /dev/shm each; both are memory."""


def own_interpreter() -> Interpreter:
    """Return the Python this process runs on, without its virtual environment."""
    return Interpreter(Path(sys.executable).resolve(), Path(sys.base_prefix).resolve())


def host_layout(root: Path = Path("/")) -> HostLayout:
    """Look at the host's top-level folders and /etc."""
    tops = [root / name for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")]
    etc = root / "etc"
    found = [etc / name for name in ETC_FILES]
    found += [path for pattern in ETC_PATTERNS for path in sorted(etc.glob(pattern))]
    return HostLayout(
        links=tuple((str(path.readlink()), str(path)) for path in tops if path.is_symlink()),
        folders=tuple(str(path) for path in tops if path.is_dir() and not path.is_symlink()),
        etc=tuple(str(path) for path in found if path.exists()),
        etc_network=tuple(str(etc / name) for name in ETC_NETWORK_FILES if (etc / name).exists()),
    )


def compile_supervisor() -> None:
    """Compile the supervisor's modules once, since boxes see them read-only: 40 ms a start."""
    compileall.compile_dir(str(_source()), quiet=2)


def write_etc(paths: BoxPaths) -> None:
    """Write the files of /etc that are made for the box, into the state folder."""
    folder = paths.state / "etc"
    folder.mkdir(mode=0o755, exist_ok=True)
    for name, content in GENERATED_ETC.items():
        (folder / name).write_text(content)


def bwrap_argv(
    bwrap: Path, spec: BoxSpec, layout: HostLayout, interpreter: Interpreter, handover: Handover
) -> list[str]:
    """Return the command line of a box whose PID 1 is the supervisor.

    Must be executed with an empty environment: bwrap's own would be readable in the box.
    """
    options = [
        *("--json-status-fd", str(handover.status)),
        *wall_options(spec, layout, interpreter),
        *("--ro-bind", str(_source()), f"{SUPERVISOR_ROOT}/activities/sandbox/inside"),
        *("--remount-ro", "/"),
    ]
    command = _supervisor(interpreter, SUPERVISOR_ROOT, (WORKSPACE, HOME), handover)
    return [str(bwrap), *options, "--", *command]


def wall_options(spec: BoxSpec, layout: HostLayout, interpreter: Interpreter) -> list[str]:
    """Return bwrap's options for namespaces, user and file tree, without what runs inside."""
    return [
        *("--unshare-all", *(["--share-net"] if spec.network else [])),
        *("--unshare-user", "--uid", str(USER_ID), "--gid", str(USER_ID), "--disable-userns"),
        *("--as-pid-1", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"),
        *_system_options(layout),
        # Started by root, the box's user is the kernel's root to /proc/sys, which it could write:
        # core_pattern alone would run a program outside (measured with bwrap 0.11).
        *("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"),
        *("--size", str(spec.tmp_bytes), "--perms", "1777", "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--remount-ro", "/dev"),
        *("--size", str(spec.tmp_bytes), "--perms", "1777", "--tmpfs", "/tmp"),  # noqa: S108
        *("--size", str(spec.tmp_bytes), "--tmpfs", "/run"),
        *_etc_options(spec, layout),
        *_prefix_options((*spec.toolchain, interpreter.prefix)),
        *("--bind", str(spec.paths.workspace), WORKSPACE),
        *("--bind", str(spec.paths.home), HOME),
        *("--chdir", WORKSPACE),
    ]


def _system_options(layout: HostLayout) -> list[str]:
    options = ["--ro-bind", "/usr", "/usr"]
    for target, path in layout.links:
        options += ["--symlink", target, path]
    for path in layout.folders:
        options += ["--ro-bind", path, path]
    return options


def _etc_options(spec: BoxSpec, layout: HostLayout) -> list[str]:
    generated = spec.paths.state / "etc"
    names = [name for name in GENERATED_ETC if name != "hosts" or not spec.network]
    options: list[str] = []
    for name in names:
        options += ["--ro-bind", str(generated / name), f"/etc/{name}"]
    for path in (*layout.etc, *(layout.etc_network if spec.network else ())):
        options += ["--ro-bind", path, path]
    return options


def _prefix_options(prefixes: tuple[Path, ...]) -> list[str]:
    options: list[str] = []
    for prefix in dict.fromkeys(prefixes):
        if not prefix.is_relative_to("/usr"):
            options += ["--ro-bind", str(prefix), str(prefix)]
    return options


def host_argv(spec: BoxSpec, interpreter: Interpreter, handover: Handover) -> list[str]:
    """Return the command line of the supervisor without walls, for the explicit `host` provider.

    It is not PID 1: commands see the whole machine and, as the same user, the state folder.
    """
    root = str(_source().parents[2])
    folders = (str(spec.paths.workspace), str(spec.paths.home))
    return _supervisor(interpreter, root, folders, handover)


def _supervisor(
    interpreter: Interpreter, root: str, folders: tuple[str, str], handover: Handover
) -> list[str]:
    python = [str(interpreter.executable), "-I", "-S", "-c", _BOOTSTRAP, root]
    return [*python, str(handover.state), str(handover.listener), *folders, handover.token]


def _source() -> Path:
    return Path(inside.__file__ or "").resolve().parent
