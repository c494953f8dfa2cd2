"""How a runner names a test of its report, so that the test can be run again by that name."""

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

from activities.checks.findings.inert import ELLIPSIS, one_line
from activities.checks.readers.junit_xml import Case
from activities.checks.readers.wire import Paths

TEST_ID_CHARACTERS = 500

_PYTEST_SUITES = frozenset({"pytest", "pytest tests"})
_TEST_MODULE = re.compile(r"test_\w*|\w*_test|tests?")


class NamedTest(NamedTuple):
    """A test as its runner takes it."""

    id: str
    file: str
    """As the report names it; empty when it names none."""

    is_pytest: bool


def name(case: Case, paths: Paths) -> NamedTest:
    """Return how the test of a report is named."""
    if not is_pytest(case):
        return NamedTest(_other_id(case, paths), case.file, is_pytest=False)
    if case.classname:
        file, group = _pytest_group(case.file, case.classname)
        is_whole = not case.name
    else:
        file = group = case.file or _file(case.name.split("."))
        is_whole = case.name == _module(file)
    return NamedTest(bounded(group if is_whole else f"{group}::{case.name}"), file, is_pytest=True)


def is_pytest(case: Case) -> bool:
    """Say whether pytest wrote it."""
    return case.file.endswith(".py") or not _PYTEST_SUITES.isdisjoint(case.suites)


def bounded(test_id: str) -> str:
    """Return the id on one line; a hash keeps apart what is cut."""
    if len(test_id) <= TEST_ID_CHARACTERS:
        return one_line(test_id, TEST_ID_CHARACTERS)
    digest = hashlib.sha1(test_id.encode(errors="replace"), usedforsecurity=False).hexdigest()
    return one_line(test_id, TEST_ID_CHARACTERS - 50) + ELLIPSIS + digest


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _modules(parts: list[str]) -> int:
    """Count the parts that are folders and the file; those after it are classes."""
    tests = [index for index, part in enumerate(parts) if _TEST_MODULE.fullmatch(part)]
    first = (tests[-1] if tests else 0) + 1
    classes = (index for index in range(first, len(parts)) if parts[index][:1].isupper())
    return next(classes, len(parts))


def _file(parts: list[str]) -> str:
    return "/".join(parts) + ".py"


@lru_cache(maxsize=1024)
def _pytest_group(file: str, classname: str) -> tuple[str, str]:
    """Return the file of the tests of one class or module, and what begins the ids of all."""
    module = _module(file)
    if not file or not f"{classname}.".startswith(f"{module}."):
        # The xunit2 family has no files: there it follows from the module's name.
        # Also an inherited test, which pytest places in the file of the class it comes from.
        parts = classname.split(".")
        file = _file(parts[: _modules(parts)])
        module = _module(file)
    classes = classname[len(module) :].strip(".").replace(".", "::")
    return file, f"{file}::{classes}" if classes else file


def _other_id(case: Case, paths: Paths) -> str:
    """Join file, suites, class and name, each once."""
    parts = [paths.inside(case.file)]
    for part in (*case.suites[1:], case.classname, case.name):
        # Node gives every test the class "test", and jest-junit a suite without a name "undefined".
        known = paths.inside(part) if part.startswith("/") else part.strip()
        if known and known not in ("test", "undefined") and known != parts[-1]:
            parts.append(known)
    return bounded("::".join(part for part in parts if part) or "unnamed")
