"""What makes a finding the same finding after lines moved; used to compare two reports."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from activities.checks.findings.inert import one_line
from workflows.contract.findings import Finding, FindingReport

SNIPPET_CHARACTERS = 300

_VARYING = re.compile(
    r"/(?:private/)?(?:tmp|var/tmp|var/folders)/[^\s'\":,;)\]]*"
    r"|\b0x[0-9a-fA-F]+|\b(?=[0-9a-f]*[0-9])[0-9a-f]{12,64}\b|[0-9]+"
)
_DIGITS = re.compile("[0-9]+")
_MORE_THAN_DIGITS = re.compile(r"/|0x|[0-9a-f]{12}")

Sources = Mapping[str, Sequence[str]]
"""Lines of files by path, without their ends."""


class Described(Protocol):
    """What is known of a finding, whether it is one already or becomes one."""

    @property
    def check(self) -> str:
        """Return the name of the check that found it."""

    @property
    def rule(self) -> str:
        """Return what the tool calls this kind of problem."""

    @property
    def path(self) -> str:
        """Return the file, from the top folder."""

    @property
    def line(self) -> int:
        """Return the line, from 1."""

    @property
    def column(self) -> int:
        """Return the column."""

    @property
    def message(self) -> str:
        """Return what it says."""

    @property
    def test_id(self) -> str:
        """Return the test that failed, if one did."""


class Mark(NamedTuple):
    """What a finding is known by."""

    snippet: str
    fingerprint: str


def marks(found: Sequence[Described], sources: Sources) -> list[Mark]:
    """Return the marks of findings of one check, in their order.

    Findings in files without sources get no snippet. Of findings that are alike the first in the
    file keeps the first fingerprint, whichever order the tool tells them in.
    """
    made = [Mark("", "")] * len(found)
    seen: dict[str, int] = {}
    places = sorted((each.path, each.line, each.column, at) for at, each in enumerate(found))
    for path, line, _, at in places:
        snippet = _snippet(sources.get(path, ()), line)
        identity = _identity(found[at], snippet)
        nth = seen[identity] = seen.get(identity, 0) + 1
        made[at] = Mark(snippet, _digest(f"{identity}\0{nth}"))
    return made


def located(report: FindingReport, sources: Sources) -> FindingReport:
    """Return the report with snippet and fingerprint of every finding."""
    found = report.findings
    findings = tuple(
        finding.model_copy(update=mark._asdict())
        for finding, mark in zip(found, marks(found, sources), strict=True)
    )
    return report.model_copy(update={"findings": findings})


def identified(finding: Finding) -> Finding:
    """Return a finding of our own making with its fingerprint."""
    return located(FindingReport(check=finding.check, findings=(finding,)), {}).findings[0]


def second_key(finding: Described) -> str:
    """Return what stays the same when the line itself is edited: for a second match.

    That is check, rule, path, test and message without what varies; several may share it.
    """
    message = normalised(finding.message)
    return f"{finding.check}\0{finding.rule}\0{finding.path}\0{finding.test_id}\0{message}"


def normalised(message: str) -> str:
    """Return the message without numbers, addresses, hashes and paths of temporary files."""
    # Few messages hold anything else, and the whole pattern takes five times as long.
    pattern = _VARYING if _MORE_THAN_DIGITS.search(message) else _DIGITS
    return pattern.sub("#", message)


def _identity(finding: Described, snippet: str) -> str:
    if finding.test_id:
        return f"{finding.check}\0{finding.test_id}"
    return f"{second_key(finding)}\0{snippet}"


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def _snippet(lines: Sequence[str], line: int) -> str:
    if not 0 < line <= len(lines):
        return ""
    return one_line(lines[line - 1].strip(), SNIPPET_CHARACTERS)
