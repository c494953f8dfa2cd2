"""Work as the examination reads it, made from texts of both sides."""

import hashlib

from activities.checks.examining import integrity
from activities.checks.examining.integrity import Change, Examined
from activities.git.revisions import LINK, Difference
from workflows.contract.checks import CheckPlan, CheckSpec, Reader
from workflows.contract.findings import FindingKind, Severity

TESTS = CheckSpec(
    name="tests",
    command="python3 -m pytest -q",
    kind=FindingKind.TEST,
    reader=Reader.JUNIT,
    rerun="python3 -m pytest -q",
)
PLAN = CheckPlan(checks=(TESTS,), source="test")

Files = dict[str, str]


def examined(before: Files, after: Files, plan: CheckPlan = PLAN) -> Examined:
    """Examine the change from one set of files to the other."""
    return integrity.examine(changes(before, after), plan)


def changes(before: Files, after: Files) -> list[Change]:
    """Return the changed files."""
    paths = sorted(path for path in {**before, **after} if before.get(path) != after.get(path))
    return [
        Change(
            _difference(path, before.get(path), after.get(path)), before.get(path), after.get(path)
        )
        for path in paths
    ]


def linked(path: str, target: str) -> list[Change]:
    """Return an added symbolic link."""
    return [Change(Difference(path, "000000", LINK, "0" * 40, "1" * 40), None, target)]


def blocking(found: Examined) -> list[tuple[str, str]]:
    """Return rule and path of what blocks."""
    findings = found.report.findings
    return [(each.rule, each.path) for each in findings if each.severity is not Severity.NOTE]


def _difference(path: str, before: str | None, after: str | None) -> Difference:
    old, new = (_side(text) for text in (before, after))
    return Difference(path, old[0], new[0], old[1], new[1])


def _side(text: str | None) -> tuple[str, str]:
    if text is None:
        return "000000", "0" * 40
    return "100644", hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
