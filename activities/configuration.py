"""What a repository says about itself in `.overnight.toml`: its environment and its checks.

    [environment]
    setup = ["pip install -r requirements.txt"]
    lock_files = ["requirements.txt"]

    [checks]
    tests = "pytest -q"
    slow = {command = "make slow", timeout_seconds = 3600}
    lint = {command = "npx eslint -f json .", reader = "json_lines", fix = "npx eslint --fix"}

    [gate]
    protected = ["migrations/*"]
    tests_may_change = true

    [approvals]
    commands = ["git push*"]
    pull_request = true

Read by the sandbox (environment) and by the checks; parsing only, no IO.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from itertools import takewhile
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from temporalio.exceptions import ApplicationError

from activities.failures import permanent
from workflows.contract.base import Frozen
from workflows.contract.checks import GUARDED_LIMIT, Reader
from workflows.contract.failures import Failure
from workflows.contract.findings import FindingKind

FILE_NAME = ".overnight.toml"
"""Where a repository keeps its configuration, in its top folder."""

LOCK_FILES = (
    *("requirements.txt", "requirements-dev.txt", "requirements.lock", "pyproject.toml"),
    *("setup.py", "setup.cfg", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile", "Pipfile.lock"),
    *("environment.yml", "package.json", "package-lock.json", "npm-shrinkwrap.json"),
    *("yarn.lock", "pnpm-lock.yaml", "bun.lock", "go.mod", "go.sum", "Cargo.toml", "Cargo.lock"),
    *("Gemfile", "Gemfile.lock", "composer.json", "composer.lock", "pom.xml", "build.gradle"),
    *("build.gradle.kts", "gradle.lockfile", "mix.exs", "mix.lock"),
)
"""Files whose contents name the dependencies, as far as they are well known."""

PLAN_LIMIT_BYTES = 6_000
"""Of what every step of a session carries along."""

_Command = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
_FilePath = Annotated[
    str, Field(max_length=500, pattern=r"^[^/\x00-\x1f]([^\x00-\x1f]*[^/\x00-\x1f])?$")
]


class NamedCheck(Frozen):
    """A check as the file describes it; what it leaves out is for the detection to say."""

    name: str
    command: str
    timeout_seconds: float = 1_800.0
    kind: FindingKind | None = None
    reader: Reader | None = None
    quick: str = ""
    fix: str = ""
    rerun: str = ""


class RepositoryConfiguration(Frozen):
    """A checked configuration; the defaults are those of a repository without the file."""

    setup: tuple[str, ...] = ()
    """Shell commands that make the environment, in order."""

    lock_files: tuple[str, ...] = LOCK_FILES
    """Files that, as far as they are there, decide whether an environment may be used again."""

    checks: tuple[NamedCheck, ...] | None = None
    """None when the file names no checks: then they are looked for."""

    protected: tuple[str, ...] = ()
    """Patterns of paths that a session may not change."""

    tests_may_change: bool = False
    """Whether a session may change tests and then pass because of it."""

    approve_commands: tuple[str, ...] = ()
    """Patterns of commands that a person has to approve."""

    approve_pull_request: bool = False


class _Environment(Frozen):
    setup: tuple[_Command, ...] = Field(default=(), max_length=20)
    lock_files: tuple[_FilePath, ...] = Field(default=LOCK_FILES, max_length=50)


_CheckCommand = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
_Addition = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
_Pattern = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$")]
_Patterns = Annotated[tuple[_Pattern, ...], Field(max_length=GUARDED_LIMIT)]
_Named = Literal["compile", "build", "type", "test", "security", "lint", "format"]


class _Check(Frozen):
    command: _CheckCommand
    timeout_seconds: float = Field(
        default=1_800.0, gt=0, le=86_400, strict=True, allow_inf_nan=False
    )
    kind: _Named | None = None
    reader: Reader | None = None
    quick: _Addition = ""
    fix: _Addition = ""
    rerun: _Addition = ""


class _Gate(Frozen):
    protected: _Patterns = ()
    tests_may_change: bool = Field(default=False, strict=True)


class _Approvals(Frozen):
    commands: _Patterns = ()
    pull_request: bool = Field(default=False, strict=True)


class _File(Frozen):
    environment: _Environment = _Environment()
    checks: dict[
        Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9][a-z0-9_-]*$")], _Check
    ] = Field(default={}, max_length=8)
    gate: _Gate = _Gate()
    approvals: _Approvals = _Approvals()


def _keys(model: type[Frozen]) -> str:
    return ", ".join(model.model_fields)


_ALLOWED: dict[tuple[int | str, ...], str] = {
    (): _keys(_File),
    ("environment",): _keys(_Environment),
    ("checks",): _keys(_Check),
    ("gate",): _keys(_Gate),
    ("approvals",): _keys(_Approvals),
}

_PLAIN = {
    "environment": "write printable text, and files as paths from the top folder",
    "checks": "write printable text, and names of checks with a-z, 0-9, _ and - only",
    "gate": "write printable text",
    "approvals": "write printable text",
}

_SECONDS = "must be a number of seconds, above 0 and at most 86400"
_WISHES = {
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list of strings",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_too_long": "may have at most {max_length} characters",
    "too_long": "may hold at most {max_length} items",
    "missing": "is missing",
    "bool_type": "must be true or false",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "float_type": _SECONDS,
    "finite_number": _SECONDS,
    "greater_than": _SECONDS,
    "less_than_equal": _SECONDS,
}
"""What is wanted, by pydantic's name for what is wrong."""

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"({_KEY}(?:\s*\.\s*{_KEY})*)"
_HEADER = re.compile(rf"\s*\[+\s*{_DOTTED}\s*\]+\s*(?:#.*)?")
_ENTRY = re.compile(rf"\s*{_DOTTED}\s*=")


def parse(data: bytes | None) -> RepositoryConfiguration:
    """Read the file's bytes; none stand for an absent file.

    Raises:
        ApplicationError: `configuration`, naming the file and the line or the key.
    """
    if data is None:
        return RepositoryConfiguration()
    try:
        text = data.decode("utf-8")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"line {line} is not UTF-8; save the file as UTF-8"
        raise _broken(reason) from error
    except tomllib.TOMLDecodeError as error:
        reason = f"it is not TOML: {error}"
        raise _broken(reason) from error
    return _checked(document, text)


def environment_key(configuration: RepositoryConfiguration, files: Mapping[str, bytes]) -> str:
    """Name an environment by what makes it: the setup commands and the present lock files.

    `files` maps paths to contents; those that the configuration does not list take no part.
    """
    digest = hashlib.sha256()
    for part in (command.encode() for command in configuration.setup):
        digest.update(b"setup %d\n" % len(part) + part)
    for path in sorted(set(configuration.lock_files) & set(files)):
        name, content = path.encode(), files[path]
        digest.update(b"file %d %d\n" % (len(name), len(content)) + name + content)
    return digest.hexdigest()


def _checked(document: dict[str, object], text: str) -> RepositoryConfiguration:
    checks = document.get("checks")
    if isinstance(checks, dict):  # a bare string is short for a table with a command
        tables = {k: {"command": v} if isinstance(v, str) else v for k, v in checks.items()}
        document = {**document, "checks": tables}
    told = {name: document.get(name, {}) for name in ("checks", "gate", "approvals")}
    size = len(json.dumps(told, default=str, ensure_ascii=False).encode())
    if size > PLAN_LIMIT_BYTES:
        reason = (
            f"checks, gate and approvals hold {size:,} bytes and may hold {PLAN_LIMIT_BYTES:,};"
            " put long commands into scripts"
        )
        raise _broken(reason)
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        reasons = "; ".join(_reason(detail, text) for detail in error.errors()[:5])
        raise _broken(reasons) from error
    named = tuple(
        NamedCheck(name=name, **check.model_dump()) for name, check in file.checks.items()
    )
    return RepositoryConfiguration(
        setup=file.environment.setup,
        lock_files=file.environment.lock_files,
        checks=named if "checks" in document else None,
        protected=file.gate.protected,
        tests_may_change=file.gate.tests_may_change,
        approve_commands=file.approvals.commands,
        approve_pull_request=file.approvals.pull_request,
    )


def _reason(detail: ErrorDetails, text: str) -> str:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    where = f"{_line_of(path, text)}{'.'.join(map(str, path))}"
    if detail["type"] == "extra_forbidden":
        allowed = _ALLOWED.get(path[:-1], _ALLOWED.get(path[:1], _ALLOWED[()]))
        return f"{where} is not known here; allowed are {allowed}"
    return f"{where}: {_wish(path, detail)}"


def _wish(path: tuple[int | str, ...], detail: ErrorDetails) -> str:
    """Say what is wanted, in words of TOML; pydantic speaks Python."""
    kind = detail["type"]
    if kind == "string_pattern_mismatch":
        return _PLAIN[str(path[0])]
    if kind == "model_type" and path[0] == "checks":
        return "must be a command or a table"
    return _WISHES[kind].format(**detail.get("ctx", {})) if kind in _WISHES else detail["msg"]


def _line_of(path: tuple[int | str, ...], text: str) -> str:
    """Find the first line that shares the most with the path; tomllib does not tell."""
    wanted = [part for part in path if isinstance(part, str)]
    table: list[str] = []
    most = found = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            written = table = _keys_in(header[1])
        elif entry := _ENTRY.match(line):
            written = [*table, *_keys_in(entry[1])]
        else:
            continue
        pairs = zip(wanted, written, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if shared > most:
            most, found = shared, number
    return f"line {found}: " if found else ""


def _keys_in(dotted: str) -> list[str]:
    return [key.strip("\"'") for key in re.findall(_KEY, dotted)]


def _broken(reason: str) -> ApplicationError:
    return permanent(Failure.CONFIGURATION, f"{FILE_NAME} cannot be used: {reason}")
