"""Added files that are loaded, or lead somewhere, without being asked for."""

import posixpath
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from activities.checks.examining import roles
from activities.checks.examining.tampering import tampering
from activities.git.revisions import LINK, SUBMODULE, Difference
from workflows.contract.findings import Finding

_CHECKERS = frozenset(
    {"pytest", "_pytest", "pluggy", "iniconfig", "xdist", "pytest_cov", "coverage", "hypothesis"}
    | {"ruff", "mypy", "mypyc", "mypy_extensions", "pyright", "basedpyright", "pylint", "bandit"}
    | {"flake8", "pycodestyle", "pyflakes", "mccabe", "black", "isort", "tox", "nox", "pre_commit"}
    | {"astroid"}  # codespell:ignore astroid
    | {"sitecustomize", "usercustomize"}
)
_TAKEN = _CHECKERS | sys.stdlib_module_names
_ROOTS = frozenset({"", "src", "lib", "python"})
_MODULE = re.compile(r"([A-Za-z_]\w*)(?:\.[\w\-]+)*\.(?:py|pyc|so|pyd)")
_LOADED = re.compile(r"(?:^|/)(?:[^/]+\.pth|(?:site|user)customize\.\w+)$")
_METADATA = re.compile(r"(?:^|/)[^/]+\.(?:dist|egg)-info/")


def leading_out(differences: Sequence[Difference], links: Mapping[str, str]) -> Iterator[Finding]:
    """Return a finding for each added place of files elsewhere; `links` are targets by path."""
    for each in differences:
        if each.new_mode == SUBMODULE and each.old_mode != SUBMODULE:
            yield tampering("submodule", each.path, "adds another repository: put its files here")
        elif each.new_mode == LINK and _leads_out(each.path, links.get(each.path, "/")):
            yield tampering("link-outside", each.path, "links to a place outside: remove the link")


def findings(differences: Sequence[Difference]) -> Iterator[Finding]:
    """Return a finding for each added file that is loaded instead of, or beside, others."""
    gone = {_top_level(each.path) for each in differences if each.is_removed}
    for each in differences:
        if each.is_added:
            yield from _of_added(each.path, gone)


def _of_added(path: str, gone: set[str]) -> Iterator[Finding]:
    name = _top_level(path)
    if name and name not in gone:
        message = f"is imported instead of the module {name!r} of others: name it otherwise"
        yield tampering("shadows-module", path, message)
    elif _LOADED.search(path):
        yield tampering("loaded-unasked", path, "is run whenever Python starts: remove it")
    elif path.endswith((".pyc", ".pyo")):
        yield tampering("compiled-code", path, "can differ from its source: remove it")
    elif _METADATA.search(path):
        yield tampering("plugin-metadata", path, "can register plugins of the checks: remove it")


def _top_level(path: str) -> str:
    """Return the name of others that the file takes, if it can be imported without its folder."""
    folder, _, name = path.rpartition("/")
    if re.fullmatch(r"__init__\.\w+", name):
        folder, _, package = folder.rpartition("/")
        taken = package
    else:
        module = _MODULE.fullmatch(name)
        taken = module[1] if module else ""
    is_root = folder in _ROOTS or roles.is_test(f"{folder}/")
    return taken if is_root and taken in _TAKEN else ""


def _leads_out(path: str, target: str) -> bool:
    if target.startswith("/"):
        return True
    aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return aim == ".." or aim.startswith("../") or aim.split("/")[0] == ".git"
