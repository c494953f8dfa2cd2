"""Which checks a repository has: those it names, or else those it is set up for.

Pure: looks at names of files and at the texts of some. Only what tools are configured for is
found; tox, nox and Makefiles may do anything and are run only when they are named.
"""

from collections.abc import Iterable, Mapping

from activities.checks.planning import tools
from activities.checks.planning.pytest_command import reporting
from activities.configuration import FILE_NAME, NamedCheck, RepositoryConfiguration
from workflows.contract.base import Sha256
from workflows.contract.checks import REPORT_VARIABLE, CheckPlan, CheckSpec, Reader
from workflows.contract.findings import FindingKind

INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md")
"""Texts for agents; the first that is there counts."""

INSTRUCTED_FOLDERS = 20
FOLDER_BYTES = 100

_KINDS = {
    "tests": FindingKind.TEST,
    "pytest": FindingKind.TEST,
    "types": FindingKind.TYPE,
    "typecheck": FindingKind.TYPE,
    "mypy": FindingKind.TYPE,
    "pyright": FindingKind.TYPE,
    "ruff": FindingKind.LINT,
    "eslint": FindingKind.LINT,
    "formatting": FindingKind.FORMAT,
    **{kind.value: kind for kind in FindingKind},
}
"""What checks of these names find, unless it is said."""

_REPORTED = {Reader.JUNIT: FindingKind.TEST, Reader.SARIF: FindingKind.LINT}


def detect(
    configuration: RepositoryConfiguration,
    files: Iterable[str],
    texts: Mapping[str, str],
    instructions: Sha256 | None = None,
) -> CheckPlan:
    """Decide on the plan; `texts` holds those of `tools.TEXTS_READ` that are there."""
    paths = list(files)
    checks, source = _checks(configuration, paths, texts)
    return CheckPlan(
        checks=checks,
        source=source[:200],
        guarded=configuration.protected,
        tests_may_change=configuration.tests_may_change,
        approve_commands=configuration.approve_commands,
        approve_pull_request=configuration.approve_pull_request,
        instructions=instructions,
        instructions_in=_instructed(paths),
    )


def _checks(
    configuration: RepositoryConfiguration, files: list[str], texts: Mapping[str, str]
) -> tuple[tuple[CheckSpec, ...], str]:
    if configuration.checks is not None:
        source = f"{FILE_NAME}, which names none" if not configuration.checks else FILE_NAME
        return tuple(_named(check) for check in configuration.checks), source
    found = tools.find(files, texts)
    if not found:
        return (), f"none found; name them in {FILE_NAME} under [checks]"
    sources = "; ".join(f"{tool.spec.name}: {tool.source}" for tool in found)
    return tuple(tool.spec for tool in found), sources


def _named(check: NamedCheck) -> CheckSpec:
    """Fill in what the file leaves out."""
    asked = reporting(check.command) if check.reader is None else None
    if asked is not None and max(len(asked.command), len(asked.rerun)) > _COMMAND_LIMIT:
        asked = None
    command = check.command if asked is None else asked.command
    reader = check.reader or (_reader(command) if asked is None else Reader.JUNIT)
    kind = check.kind or _REPORTED.get(reader) or _KINDS.get(check.name, FindingKind.BUILD)
    return CheckSpec(
        name=check.name,
        command=command,
        timeout_seconds=check.timeout_seconds,
        kind=kind,
        reader=reader,
        quick=check.quick,
        fix=check.fix,
        rerun=check.rerun or ("" if asked is None else asked.rerun),
    )


_COMMAND_LIMIT = 500


def _reader(command: str) -> Reader:
    # Only a command that names where the report belongs is known to leave one there.
    if REPORT_VARIABLE not in command:
        return Reader.TEXT
    lower = command.lower()
    readers = {"junit": Reader.JUNIT, "sarif": Reader.SARIF, "json": Reader.JSON_LINES}
    return next((reader for word, reader in readers.items() if word in lower), Reader.TEXT)


def _instructed(files: list[str]) -> tuple[str, ...]:
    """Return folders below the top one with an AGENTS.md, the outer ones first."""
    name = f"/{INSTRUCTIONS[0]}"
    folders = [path.removesuffix(name) for path in files if path.endswith(name)]
    folders = [folder for folder in folders if len(folder.encode()) <= FOLDER_BYTES]
    folders.sort(key=lambda folder: (folder.count("/"), folder))
    return tuple(folders[:INSTRUCTED_FOLDERS])
