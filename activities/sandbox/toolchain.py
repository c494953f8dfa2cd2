"""The host's interpreters and compilers, by the folders they are installed in.

A box shows these folders read-only at their own paths. What lives under /usr is there already.
"""

import hashlib
import pwd
import shutil
from collections.abc import Iterable
from pathlib import Path

import structlog

from activities.sandbox.spawn import run_briefly

QUESTION_TIMEOUT_S = 10.0

_PROGRAMS: dict[str, tuple[str, ...]] = {
    "python3": ("-I", "-S", "-c", "import sys; print(sys.base_prefix)"),
    "node": ("-p", "require('path').dirname(require('path').dirname(process.execPath))"),
    "go": ("env", "GOROOT"),
    "cargo": (),
    "rustc": ("--print", "sysroot"),
    "java": (),
}
"""Programs looked for, and how each says where it is installed when it is started by a script."""

_MANAGERS = {"cargo": "rustup", "rustc": "rustup"}
"""Launchers that may be hard links or copies of a manager beside them, as rustup's before 1.28."""

_NOT_PREFIXES = (".local", ".cargo")
"""Folders of a home with more in them than a toolchain."""

_CREDENTIALS = ("credentials", "credentials.toml")
"""What a CARGO_HOME of any name may hold."""

_SYSTEM = (Path("/usr"), Path("/usr/local"))
_CHANGING = (
    "bin",
    "lib/python3*/site-packages",
    "lib/python3*/dist-packages",
    "lib/python3/dist-packages",
    "lib/node_modules",
    "lib/jvm/*/bin",
)
"""Folders whose own time tells that a program or a package was installed, upgraded or removed."""

log = structlog.get_logger()


def toolchain(search_path: str | None = None) -> list[Path]:
    """Return the installation folders of the interpreters on PATH, real paths, without repeats.

    Programs under /usr are left out, a box has them anyway. A folder that is `/`, somebody's home,
    above one, or a home's `.local` or `.cargo`, or that holds credentials, is refused and logged:
    it would show more than a toolchain.
    May start the programs to ask them; blocks up to 10 s for each that does not answer.
    """
    found: list[Path] = []
    for program, question in _PROGRAMS.items():
        location = shutil.which(program, path=search_path)
        prefix = None if location is None else _prefix(program, Path(location), question)
        if prefix is None or prefix.is_relative_to("/usr") or prefix in found:
            continue
        if _is_too_much(prefix):
            log.warning("toolchain.refused", program=program, folder=str(prefix))
            continue
        found.append(prefix)
    return found


def bin_folders(prefixes: Iterable[Path]) -> str:
    """Return a PATH for commands: the toolchain's own `bin` folders, then the system's."""
    own = [str(prefix / "bin") for prefix in prefixes if (prefix / "bin").is_dir()]
    return ":".join([*own, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/bin"])


def identity(prefixes: Iterable[Path]) -> str:
    """Name the programs and packages that boxes find: what is installed or upgraded changes it.

    Two hosts hardly ever have the same. Looks at some folders' times; takes some milliseconds.
    """
    seen = hashlib.sha256()
    for prefix in (*_SYSTEM, *prefixes):
        seen.update(f"{prefix.resolve()}\0".encode())
        found = [folder for pattern in _CHANGING for folder in sorted(prefix.glob(pattern))]
        for folder in found or [prefix]:
            changed = folder.stat().st_mtime_ns if folder.is_dir() else 0
            seen.update(f"{folder}\0{changed}\0".encode())
    return seen.hexdigest()


def _prefix(program: str, location: Path, question: tuple[str, ...]) -> Path | None:
    real = location.resolve()
    if not _is_launcher(program, real):
        return real.parent.parent if real.parent.name in ("bin", "sbin") else real.parent
    if not question:
        return None  # cargo comes with rustc, which can be asked
    answer = run_briefly([str(location), *question], QUESTION_TIMEOUT_S)
    said = answer.stdout.strip()
    return Path(said).resolve() if answer.code == 0 and said.startswith("/") else None


def _is_launcher(program: str, real: Path) -> bool:
    """Tell whether this only finds the real program, as the launchers of version managers do.

    Those are scripts (pyenv, asdf), links to a program of another name (rustup, volta, mise), or
    that program under this name.
    """
    if not real.name.startswith(program):
        return True
    manager = _MANAGERS.get(program)
    if manager is not None and (real.parent / manager).exists():
        return True
    with real.open("rb") as file:
        return file.read(2) == b"#!"


def _is_too_much(prefix: Path) -> bool:
    homes = {Path.home(), *(Path(entry.pw_dir) for entry in pwd.getpwall())} - {Path("/")}
    if prefix.name in _NOT_PREFIXES or prefix == Path("/"):
        return True
    if any((prefix / name).exists() for name in _CREDENTIALS):
        return True
    return any(home == prefix or home.is_relative_to(prefix) for home in homes)
