"""Files that checks no longer look at, since the work ignores them or puts others before them."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from activities.checks.examining.tampering import tampering
from workflows.contract.findings import Finding

IGNORED = ".gitignore"
"""Tools that look for files themselves leave out what it names, though git goes on to track it."""

_STUB = ".pyi"
_BUILT = (".so", ".pyd")
_PACKAGE = "/__init__.py"


class Text(NamedTuple):
    """A changed file's lines; none when it is not there."""

    path: str
    before: str | None
    after: str | None


def is_wanted(path: str) -> bool:
    """Tell whether such a file is judged by what else the repository holds."""
    name = path.rpartition("/")[2]
    return name in (IGNORED, "__init__.py") or name.endswith((_STUB, *_BUILT))


def ignored(texts: Sequence[Text], tracked: Sequence[str]) -> Iterator[Finding]:
    """Return a finding for each changed list that ignores a file which git tracks all the same."""
    for text in texts:
        if text.path.rpartition("/")[2] != IGNORED:
            continue
        known = set((text.before or "").splitlines())
        added = [line for line in (text.after or "").splitlines() if line not in known]
        folder = text.path.removesuffix(IGNORED)
        beneath = [path.removeprefix(folder) for path in tracked if path.startswith(folder)]
        hit = next((path for path in beneath if any(_names(each, path) for each in added)), None)
        if hit is not None:
            message = f"hides {folder}{hit} from checks, though it is tracked: remove the line"
            yield tampering("hides-file", text.path, message)


def standing_in(added: Sequence[str], tracked: Sequence[str]) -> Iterator[Finding]:
    """Return a finding for each added file that is taken instead of a module of the base."""
    known = set(tracked)
    for path in added:
        module = _module_behind(path)
        if module in known:
            message = f"is looked at instead of {module}: remove it and mend the module"
            yield tampering("shadows-module", path, message)


def _module_behind(path: str) -> str:
    if path.endswith(_STUB):
        return path.removesuffix("i")
    if path.endswith(_PACKAGE):
        return f"{path.removesuffix(_PACKAGE)}.py"
    if path.endswith(_BUILT):
        folder, _, name = path.rpartition("/")
        return "/".join(part for part in (folder, f"{name.partition('.')[0]}.py") if part)
    return ""


def _names(pattern: str, path: str) -> bool:
    """Tell whether a line of the list names a path; rather once too often."""
    line = pattern.strip()
    if not line or line.startswith(("#", "!")):
        return False
    wanted = line.strip("/").removeprefix("**/")
    parts = path.split("/")
    beginnings = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    if any(fnmatchcase(beginning, wanted) for beginning in beginnings):
        return True
    return "/" not in wanted and any(fnmatchcase(part, wanted) for part in parts)
