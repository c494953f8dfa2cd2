"""The parts of files that checks read, where a file serves other ends too; pure.

Which packages a project needs, and how it is packed, is ordinary work and no part.
"""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import NamedTuple

_PACKAGING = frozenset(
    {"poetry", "setuptools", "setuptools_scm", "setuptools-scm", "uv", "flit", "rye", "maturin"}
    | {"scikit-build", "meson-python", "cibuildwheel", "commitizen", "semantic_release"}
    | {"towncrier", "bumpversion", "bumpver", "versioneer", "git-cliff"}
)
"""Tables of `[tool]` that no check reads; any other may be a check's."""

_SECTIONS = re.compile(
    r"tool:pytest|pytest|mypy.*|flake8.*|coverage:.*|pylint.*|isort|pycodestyle|pydocstyle|tox.*"
)
_OF_PACKAGE_JSON = frozenset(
    {"scripts", "config", "jest", "eslintConfig", "eslintIgnore", "mocha", "ava", "nyc", "c8"}
    | {"xo", "prettier", "stylelint", "lint-staged", "vitest", "babel", "tap", "jasmine", "qunit"}
    | {"standard", "semistandard", "wireit", "nx", "tsd", "husky", "pre-commit", "remarkConfig"}
    | {"simple-git-hooks"}
)
_OF_PIXI = frozenset({"tasks", "activation", "feature", "environments", "target"})
_OF_CARGO = frozenset({"lints", "lib", "bin", "test", "profile", "patch", "replace"})
_OF_CRATE = frozenset({"autotests", "autobins", "autolib", "build"})
_OF_CARGO_WORKSPACE = frozenset({"lints", "exclude", "default-members"})
_SPEED = frozenset(
    {"opt-level", "lto", "codegen-units", "strip", "debug", "incremental", "split-debuginfo"}
)
"""Of Cargo's profiles; the others can change what a test sees."""

_OF_GO_MOD = frozenset({"module", "ignore", "godebug", "replace", "tool"})
_GEM = re.compile(
    r"""
    (?: (?:gem\s+)? (?:["'][^"'#]*["'] | require:\ (?:false|["'][^"'#]*["']) | [\s,])+
      | source\s+["'][^"'#]*["'] | ruby\s+["'][\d.]+["'] | group[\w\s:,]+do\s* | end\s* )?
    (?:\#.*)?
    """,
    re.VERBOSE,
)


class Parts(NamedTuple):
    """What checks read of a file."""

    exact: object
    """No difference is ordinary work."""

    listed: frozenset[str] = frozenset()
    """What is looked at since it is listed: more may be, nothing may be left out."""

    scripts: Mapping[str, object] = {}
    """What may be started by its name; it counts if a check's command has that word."""


def is_in_part(path: str) -> bool:
    """Tell whether only parts of the file count, so that its text is needed."""
    return path.rpartition("/")[2] in _READERS


def difference(name: str, before: str | None, after: str | None, words: frozenset[str]) -> str:
    """Say why a changed file of this name counts; empty when it does not.

    Args:
        name: without folders; one for which `is_in_part`.
        before: the text at the base commit; none when it is not there.
        after: the text in the work.
        words: those of all checks' commands.
    """
    read = _READERS[name]
    try:
        new = read(after or "")
    except _UNREADABLE:
        return "it cannot be read, and it configures the checks"
    try:
        old = read(before or "")
    except _UNREADABLE:
        old = Parts({})
    is_same = old.exact == new.exact and _named(old, words) == _named(new, words)
    return "" if is_same and old.listed <= new.listed else "its parts for the checks differ"


_UNREADABLE = (ValueError, RecursionError, configparser.Error)


def _named(parts: Parts, words: frozenset[str]) -> dict[str, object]:
    return {name: target for name, target in parts.scripts.items() if name in words}


def _of_pyproject(text: str) -> Parts:
    read = tomllib.loads(text)
    tool, project = _table(read.get("tool")), _table(read.get("project"))
    poetry = _table(tool.get("poetry"))
    parts = {name: value for name, value in tool.items() if name not in _PACKAGING}
    for name, part in _IN_PART.items():
        if name in tool:
            parts[name] = part(_table(tool[name]))
    entries = _table(project.get("entry-points"))
    parts["plugins of pytest"] = [
        table["pytest11"]
        for table in (entries, _table(poetry.get("plugins")))
        if "pytest11" in table
    ]
    scripts = {**_table(project.get("scripts")), **_table(poetry.get("scripts"))}
    return Parts({name: value for name, value in parts.items() if value}, scripts=scripts)


def _of_uv(table: Mapping[str, object]) -> object:
    """Return packages that are taken from somewhere else: `uv run` obeys at once."""
    sources = _table(table.get("sources"))
    return {name: source for name, source in sources.items() if source != {"workspace": True}}


def _of_setup_cfg(text: str) -> Parts:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    parts = {name: dict(parser[name]) for name in parser.sections() if _SECTIONS.fullmatch(name)}
    plugins = parser.get("options.entry_points", "pytest11", fallback=None)
    return Parts([parts, plugins])


def _of_pixi(text: str) -> Parts:
    return Parts(_of_pixi_table(tomllib.loads(text)))


def _of_pixi_table(table: Mapping[str, object]) -> object:
    return _without_packages({name: table[name] for name in _OF_PIXI if name in table})


def _of_pipfile(text: str) -> Parts:
    return Parts(_table(tomllib.loads(text)).get("scripts"))


def _of_package_json(text: str) -> Parts:
    read = _table(json.loads(text or "{}"))
    parts = {name: read[name] for name in _OF_PACKAGE_JSON if name in read}
    spaces = read.get("workspaces")
    listed = _table(spaces).get("packages") if isinstance(spaces, dict) else spaces
    return Parts(parts, _listed(listed), _table(read.get("bin")))


def _of_composer(text: str) -> Parts:
    read = _table(json.loads(text or "{}"))
    return Parts({name: read[name] for name in ("scripts", "config") if name in read})


def _of_cargo(text: str) -> Parts:
    read = tomllib.loads(text)
    parts = {name: read[name] for name in _OF_CARGO if name in read}
    profiles = _table(parts.pop("profile", None))
    parts["profile"] = [
        (name, key, value)
        for name, profile in profiles.items()
        for key, value in _table(profile).items()
        if key not in _SPEED
    ]
    package, space = _table(read.get("package")), _table(read.get("workspace"))
    parts["package"] = {key: package[key] for key in _OF_CRATE if key in package}
    parts["workspace"] = {key: space[key] for key in _OF_CARGO_WORKSPACE if key in space}
    parts["local"] = {
        name: source
        for name, source in _table(read.get("dev-dependencies")).items()
        if "path" in _table(source)
    }
    crate = {"its package"} if package else set[str]()
    listed = _listed(space.get("members")) | crate
    return Parts({name: value for name, value in parts.items() if value}, listed)


def _of_go_mod(text: str) -> Parts:
    """Return what leaves folders out, puts one module in another's place, or makes one."""
    kept: list[list[str]] = []
    block = ""
    for line in text.split("\n"):
        words = line.partition("//")[0].replace("(", " ( ").replace(")", " ) ").split()
        if words[-1:] == ["("]:
            block = words[0]
        elif words == [")"]:
            block = ""
        elif words and (block or words[0]) in _OF_GO_MOD:
            kept.append([block, *words] if block else words)
    return Parts(kept)


def _of_gemfile(text: str) -> Parts:
    """Return all but plain lines: it is a program that runs before any other."""
    lines = [line.strip() for line in text.split("\n")]
    return Parts([line for line in lines if not _GEM.fullmatch(line)])


def _without_packages(table: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _without_packages(value) if isinstance(value, dict) else value
        for name, value in table.items()
        if not name.endswith("dependencies")
    }


def _listed(value: object) -> frozenset[str]:
    return frozenset(str(item) for item in value) if isinstance(value, list) else frozenset()


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


_IN_PART: dict[str, Callable[[Mapping[str, object]], object]] = {
    "hatch": lambda table: table.get("envs"),
    "pdm": lambda table: table.get("scripts"),
    "rye": lambda table: table.get("scripts"),
    "uv": _of_uv,
    "pixi": _of_pixi_table,
}
_READERS: dict[str, Callable[[str], Parts]] = {
    "pyproject.toml": _of_pyproject,
    "setup.cfg": _of_setup_cfg,
    "pixi.toml": _of_pixi,
    "Pipfile": _of_pipfile,
    "package.json": _of_package_json,
    "composer.json": _of_composer,
    "Cargo.toml": _of_cargo,
    "go.mod": _of_go_mod,
    "Gemfile": _of_gemfile,
}
