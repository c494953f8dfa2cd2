"""The tools whose configuration is recognised, and how each is asked for findings as data.

All are started by name: what the base commit's set-up installed, or the host's toolchain has. None
writes into the workspace, and none uses a cache that the work could bring along.
"""

import configparser
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from activities.checks.planning.pytest_command import REPORTING
from workflows.contract.checks import REPORT_VARIABLE, CheckSpec, Reader
from workflows.contract.findings import FindingKind

TEXTS_READ = (
    *("pyproject.toml", "tox.ini", "setup.cfg", "mypy.ini", ".mypy.ini"),
    *("ruff.toml", ".ruff.toml"),
)
"""Files of the top folder whose contents are looked at."""

_RUFF_CHECK = "ruff check --no-cache --no-fix --force-exclude --output-format=sarif"

RUFF = CheckSpec(
    name="ruff",
    command=f'{_RUFF_CHECK} --output-file="${REPORT_VARIABLE}"',
    timeout_seconds=600.0,
    kind=FindingKind.LINT,
    reader=Reader.SARIF,
    quick=f'{_RUFF_CHECK} --output-file="${REPORT_VARIABLE}" --',
    fix="ruff check --no-cache --force-exclude --fix-only --exit-zero --quiet --",
)

RUFF_FORMAT = CheckSpec(
    name="ruff-format",
    command="ruff format --no-cache --check",
    timeout_seconds=600.0,
    kind=FindingKind.FORMAT,
    fix="ruff format --no-cache --force-exclude --quiet --",
)

MYPY = CheckSpec(
    name="mypy",
    command='mypy --cache-dir="$HOME/.cache/mypy" --output json',
    kind=FindingKind.TYPE,
    reader=Reader.JSON_LINES,
)

PYRIGHT = CheckSpec(
    name="pyright",
    command="pyright --outputjson",
    kind=FindingKind.TYPE,
    reader=Reader.JSON_LINES,
)

PRE_COMMIT = CheckSpec(
    name="pre-commit",
    command="pre-commit run --all-files --color never",
    kind=FindingKind.LINT,
)

PYTEST = CheckSpec(
    name="pytest",
    command=f"python3 -m pytest -q {REPORTING}",
    kind=FindingKind.TEST,
    reader=Reader.JUNIT,
    rerun=f"python3 -m pytest -q {REPORTING} --",
)

_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py")
_FOREIGN = {"node_modules", "site-packages", "vendor", "third_party", ".venv", "venv"}
_MYPY_TARGETS = ("files", "packages", "modules", "package", "module")


class Found(NamedTuple):
    """A tool that the repository is set up for."""

    spec: CheckSpec
    source: str
    """File that shows it."""


class _Repository(NamedTuple):
    files: Sequence[str]
    top: frozenset[str]
    texts: Mapping[str, str]

    def first_of(self, *names: str) -> str | None:
        return next((name for name in names if name in self.top), None)

    def toml(self, name: str, *path: str) -> object:
        """Return what stands at the path; None when nothing does or the file is broken."""
        try:
            value: object = tomllib.loads(self.texts.get(name, ""))
        except (tomllib.TOMLDecodeError, RecursionError):
            return None
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def section(self, name: str, section: str) -> Mapping[str, str] | None:
        """Return a section of an ini file; None when it or the file is not there or broken."""
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(self.texts.get(name, ""))
        except configparser.Error:
            return None
        return dict(parser[section]) if parser.has_section(section) else None


def find(files: Sequence[str], texts: Mapping[str, str]) -> list[Found]:
    """Return the tools that are configured, cheap ones first, tests last."""
    top = frozenset([*texts, *(path for path in files if "/" not in path)])
    repository = _Repository(files, top, texts)
    found = [tool for look in _LOOKS if (tool := look(repository)) is not None]
    others = [tool for tool in found if tool.spec is not PRE_COMMIT]
    # Hooks lint too, mostly with the same tools, and need the network when they are not installed.
    return others if any(tool.spec.kind is FindingKind.LINT for tool in others) else found


def _ruff(repository: _Repository) -> Found | None:
    if repository.toml("pyproject.toml", "tool", "ruff") is not None:
        return Found(RUFF, "pyproject.toml")
    source = repository.first_of("ruff.toml", ".ruff.toml")
    return None if source is None else Found(RUFF, source)


def _ruff_format(repository: _Repository) -> Found | None:
    if repository.toml("pyproject.toml", "tool", "ruff", "format") is not None:
        return Found(RUFF_FORMAT, "pyproject.toml")
    names = ("ruff.toml", ".ruff.toml")
    source = next((name for name in names if repository.toml(name, "format") is not None), None)
    return None if source is None else Found(RUFF_FORMAT, source)


def _mypy(repository: _Repository) -> Found | None:
    table = repository.toml("pyproject.toml", "tool", "mypy")
    if isinstance(table, dict):
        return Found(_mypy_for(table), "pyproject.toml")
    for name in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        section = repository.section(name, "mypy")
        if section is not None:
            return Found(_mypy_for(section), name)
    return None


def _mypy_for(settings: Mapping[str, object]) -> CheckSpec:
    if any(settings.get(target) for target in _MYPY_TARGETS):
        return MYPY
    return MYPY.model_copy(update={"command": f"{MYPY.command} ."})


def _pyright(repository: _Repository) -> Found | None:
    if repository.toml("pyproject.toml", "tool", "pyright") is not None:
        return Found(PYRIGHT, "pyproject.toml")
    source = repository.first_of("pyrightconfig.json")
    return None if source is None else Found(PYRIGHT, source)


def _pre_commit(repository: _Repository) -> Found | None:
    source = repository.first_of(".pre-commit-config.yaml")
    return None if source is None else Found(PRE_COMMIT, source)


def _pytest(repository: _Repository) -> Found | None:
    if repository.toml("pyproject.toml", "tool", "pytest") is not None:
        return Found(PYTEST, "pyproject.toml")
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if repository.section(name, section) is not None:
            return Found(PYTEST, name)
    own = repository.first_of("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
    source = own or next(filter(_is_test, repository.files), None)
    return None if source is None else Found(PYTEST, source)


def _is_test(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(_TEST_FILE.fullmatch(parts.name)) and not _FOREIGN.intersection(parts.parts)


_LOOKS: tuple[Callable[[_Repository], Found | None], ...] = (
    *(_ruff, _ruff_format, _mypy, _pyright, _pre_commit, _pytest),
)
