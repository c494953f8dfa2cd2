"""Which checks a repository has: those it names, or else the test runner it is set up for."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from activities.configuration import FILE_NAME, RepositoryConfiguration
from workflows.contract.checks import CheckPlan, CheckSpec

TEXTS_READ = ("pyproject.toml", "tox.ini", "setup.cfg")
"""Files of the top folder whose contents `detect` looks at."""

PYTEST = CheckSpec(name="pytest", command="python3 -m pytest -q")

_CONFIGURED = {
    "pyproject.toml": re.compile(r"^\s*\[\s*tool\.pytest\b", re.MULTILINE),
    "tox.ini": re.compile(r"^\[pytest\]", re.MULTILINE),
    "setup.cfg": re.compile(r"^\[tool:pytest\]", re.MULTILINE),
}
_OWN_FILES = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py")
_FOREIGN = {"node_modules", "site-packages", "vendor", "third_party", ".venv", "venv"}


def detect(
    configuration: RepositoryConfiguration, files: Iterable[str], texts: Mapping[str, str]
) -> CheckPlan:
    """Decide on the plan; `texts` holds those of `TEXTS_READ` that are there."""
    if configuration.checks is not None:
        source = f"{FILE_NAME}, which names none" if not configuration.checks else FILE_NAME
        return CheckPlan(checks=configuration.checks, source=source)
    found = _find_pytest(files, texts)
    if found is None:
        return CheckPlan(source=f"none found; name them in {FILE_NAME} under [checks]")
    return CheckPlan(checks=(PYTEST,), source=found[:200])


def _find_pytest(files: Iterable[str], texts: Mapping[str, str]) -> str | None:
    for name, pattern in _CONFIGURED.items():
        if pattern.search(texts.get(name, "")):
            return f"{name}, which configures pytest"
    paths = [PurePosixPath(path) for path in files]
    for path in paths:
        if str(path) in _OWN_FILES:
            return f"{path}, which configures pytest"
    for path in paths:
        if _TEST_FILE.fullmatch(path.name) and not _FOREIGN.intersection(path.parts):
            return f"{path}, a test file"
    return None
