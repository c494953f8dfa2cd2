"""Files that say what the checks look at and how: which of them the work changes.

A file that serves other ends too, such as `pyproject.toml`, counts only if a part of it that
checks read differs.
"""

import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch, fnmatchcase
from typing import NamedTuple

from activities.checks.examining import roles
from activities.checks.examining.tampering import tampering
from workflows.contract.checks import CheckPlan
from workflows.contract.findings import Finding

_NAMES = (
    *("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "tox.toml"),
    *("mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml", ".flake8", ".pylintrc", "pylintrc"),
    *("pyrightconfig.json", "ty.toml", "pyrefly.toml", ".coveragerc", ".isort.cfg", ".bandit"),
    *("bandit.y*ml", ".pydocstyle*", ".codespellrc", "noxfile.py", ".pre-commit-config.y*ml"),
    *(".overnight.toml", ".gitlab-ci.yml", "azure-pipelines.yml", "Jenkinsfile", ".travis.yml"),
    *(".eslintrc*", "eslint.config.*", ".eslintignore", "tsconfig*.json", "jest.config.*"),
    *("vitest.config.*", "vitest.workspace.*", "karma.conf.*", ".mocharc*", "playwright.config.*"),
    *("cypress.config.*", "biome.json*", ".prettierrc*", "prettier.config.*", ".prettierignore"),
    *(".stylelintrc*", ".nycrc*", ".golangci.*", "clippy.toml", ".clippy.toml", "rustfmt.toml"),
    *(".rustfmt.toml", "deny.toml", ".clang-tidy", ".clang-format", ".rubocop.yml", ".rspec"),
    *("phpunit.xml*", "phpstan*.neon*", "checkstyle*.xml", ".shellcheckrc", ".yamllint*"),
    *(".ignore", ".rgignore", ".stylelintignore"),
    *("codecov.yml", ".codecov.yml", "sonar-project.properties", ".semgrep*", "lefthook.y*ml"),
)
_FOLDERS = (".github/", ".circleci/", ".husky/", ".buildkite/", ".gitlab/")
_READ_BY = {
    "make": ("makefile", "gnumakefile", "*.mk"),
    "just": ("justfile", ".justfile"),
    "task": ("taskfile.y*ml",),
    "invoke": ("tasks.py",),
    "rake": ("rakefile",),
    "ctest": ("cmakelists.txt",),
    "gradle": ("build.gradle*",),
    "mvn": ("pom.xml",),
}
_PACKAGING = frozenset(
    {"poetry", "setuptools", "setuptools_scm", "setuptools-scm", "uv", "flit", "rye", "maturin"}
    | {
        "scikit-build",
        "meson-python",
        "cibuildwheel",
        "commitizen",
        "semantic_release",
        "towncrier",
    }
    | {"bumpversion", "bumpver", "versioneer", "git-cliff", "pixi"}
)
"""Tables of `[tool]` that no check reads; any other may be a check's."""

_SECTIONS = re.compile(
    r"tool:pytest|pytest|mypy.*|flake8.*|coverage:.*|pylint.*|isort|pycodestyle|pydocstyle|tox.*"
)
_SCRIPT_PARTS = (
    *("scripts", "jest", "eslintConfig", "eslintIgnore", "mocha", "ava", "nyc", "c8", "xo"),
    *("prettier", "stylelint", "lint-staged", "vitest"),
)


class Sides(NamedTuple):
    """A changed file's text at the base commit and in the work; none when it is not there."""

    path: str
    before: str | None
    after: str | None


class _Read(NamedTuple):
    """What the checks' commands run or read, as far as they say it."""

    paths: frozenset[str]
    patterns: frozenset[str]
    """Of names in lower case."""


def is_in_part(path: str) -> bool:
    """Tell whether only parts of the file count, so that its text is needed."""
    return path.rpartition("/")[2] in _PARTS


def findings(changed: Iterable[Sides], plan: CheckPlan) -> Iterator[Finding]:
    """Return a finding for each file that steers the checks and that the work changes."""
    read = _read_by(plan)
    for sides in changed:
        why = _why(sides, plan, read)
        if why:
            message = f"{why}: put it back as it is at the base commit"
            yield tampering("protected-path", sides.path, message)


def _why(sides: Sides, plan: CheckPlan, read: _Read) -> str:
    path, name = sides.path, sides.path.rpartition("/")[2]
    if any(fnmatchcase(path, pattern) for pattern in plan.guarded):
        return "the repository guards this file"
    if not plan.checks:
        return ""
    if name in _PARTS:
        return _differs(sides, _PARTS[name])
    if path.startswith(_FOLDERS) or any(fnmatch(name, pattern) for pattern in _NAMES):
        return "it configures the checks"
    is_run = path in read.paths and not roles.is_test(path)
    is_read = any(fnmatch(name.lower(), pattern) for pattern in read.patterns)
    return "a check's command uses it" if is_run or is_read else ""


def _differs(sides: Sides, parts_of: Callable[[str], object]) -> str:
    try:
        after = parts_of(sides.after or "")
    except (ValueError, RecursionError, configparser.Error):
        return "it cannot be read, and it configures the checks"
    try:
        before = parts_of(sides.before or "")
    except (ValueError, RecursionError, configparser.Error):
        before = {}
    return "its parts for the checks differ" if before != after else ""


def _read_by(plan: CheckPlan) -> _Read:
    paths: set[str] = set()
    patterns: set[str] = set()
    for check in plan.checks:
        words = _words(check.command)
        paths.update(word.removeprefix("./") for word in words)
        for word, after in zip(words, [*words[1:], ""], strict=True):
            patterns.update(_READ_BY.get(word.rpartition("/")[2], ()))
            if word == "-m":
                module = after.replace(".", "/")
                paths.update({f"{module}.py", f"{module}/__main__.py"})
    return _Read(frozenset(paths), frozenset(patterns))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=False)
    except ValueError:
        return command.split()


def _of_pyproject(text: str) -> object:
    read = tomllib.loads(text)
    tool = _table(read.get("tool"))
    parts = {name: value for name, value in tool.items() if name not in _PACKAGING}
    if "hatch" in parts:
        parts["hatch"] = _table(tool["hatch"]).get("envs", {})
    if "pdm" in parts:
        parts["pdm"] = _table(tool["pdm"]).get("scripts", {})
    entries = _table(_table(read.get("project")).get("entry-points"))
    plugins = _table(_table(tool.get("poetry")).get("plugins"))
    parts["plugins of pytest"] = [entries.get("pytest11"), plugins.get("pytest11")]
    return {name: value for name, value in parts.items() if value != {}}


def _of_setup_cfg(text: str) -> object:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    parts = {name: dict(parser[name]) for name in parser.sections() if _SECTIONS.fullmatch(name)}
    plugins = parser.get("options.entry_points", "pytest11", fallback=None)
    return [parts, plugins]


def _of_package_json(text: str) -> object:
    read = _table(json.loads(text or "{}"))
    return {name: read[name] for name in _SCRIPT_PARTS if name in read}


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


_PARTS: dict[str, Callable[[str], object]] = {
    "pyproject.toml": _of_pyproject,
    "setup.cfg": _of_setup_cfg,
    "package.json": _of_package_json,
}
