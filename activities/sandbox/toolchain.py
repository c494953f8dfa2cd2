"""The host's interpreters and compilers, by the folders they are installed in.

A box shows these folders read-only at their own paths. What lives under /usr is there already.
"""

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

log = structlog.get_logger()


def toolchain(search_path: str | None = None) -> list[Path]:
    """Return the installation folders of the interpreters on PATH, real paths, without repeats.

    Programs under /usr are left out, a box has them anyway. A folder that is `/`, somebody's home,
    above one, or a home's `.local` is refused and logged: it would show more than a toolchain.
    May start the programs to ask them; blocks up to 10 s for each that does not answer.
    """
    found: list[Path] = []
    for program, question in _PROGRAMS.items():
        location = shutil.which(program, path=search_path)
        prefix = None if location is None else _prefix(Path(location), question)
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


def _prefix(location: Path, question: tuple[str, ...]) -> Path | None:
    real = location.resolve()
    if not _is_launcher(real):
        return real.parent.parent if real.parent.name in ("bin", "sbin") else real.parent
    if not question:
        return None  # cargo comes with rustc, which can be asked
    answer = run_briefly([str(location), *question], QUESTION_TIMEOUT_S)
    said = answer.stdout.strip()
    return Path(said).resolve() if answer.code == 0 and said.startswith("/") else None


def _is_launcher(program: Path) -> bool:
    """Tell whether this only finds the real program: a version manager's script or rustup."""
    with program.open("rb") as file:
        return program.name == "rustup" or file.read(2) == b"#!"


def _is_too_much(prefix: Path) -> bool:
    homes = {Path.home(), *(Path(entry.pw_dir) for entry in pwd.getpwall())} - {Path("/")}
    if prefix.name == ".local" or prefix == Path("/"):
        return True
    return any(home == prefix or home.is_relative_to(prefix) for home in homes)
